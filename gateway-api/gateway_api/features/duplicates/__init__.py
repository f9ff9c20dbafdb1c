"""One recording under several ids: shown, merged, and merges undone."""
