"""Uploads in, streams out."""
