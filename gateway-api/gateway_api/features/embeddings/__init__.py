"""Keeps a vector of how each track sounds and of what is written about it."""
