"""One file that holds the collection, and the way back from it."""
