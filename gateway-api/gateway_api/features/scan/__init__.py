"""A folder of files into the collection, in place."""
