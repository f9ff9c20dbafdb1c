"""Measuring a whole collection again, a little at a time."""
