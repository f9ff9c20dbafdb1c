"""Playlists that are a saved filter and an order."""
