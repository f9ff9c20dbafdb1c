"""Tracks by sound, by meaning, and what goes well with a track."""
