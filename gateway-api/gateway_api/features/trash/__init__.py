"""Tracks that were put away: shown, brought back, or deleted for ever."""
