"""Work that takes longer than a request, and its progress."""
