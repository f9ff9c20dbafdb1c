"""Getting audio for tracks, and knowing what the collection has already."""
