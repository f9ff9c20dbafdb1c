"""A collection in numbers."""
