"""Tracks into an order that mixes, through ga-service."""
