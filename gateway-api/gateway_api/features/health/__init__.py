"""Is it alive, and is what stands behind it there."""
