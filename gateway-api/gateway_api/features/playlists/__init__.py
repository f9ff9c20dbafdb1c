"""Playlists, their tracks, and their exports."""
