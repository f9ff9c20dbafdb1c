"""Whose collections there are."""
