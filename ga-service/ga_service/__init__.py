"""Tracks in, a set that mixes out; stateless."""
