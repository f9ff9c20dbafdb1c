"""The tracks of a collection."""
