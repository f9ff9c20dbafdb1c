"""Finding tracks by typo-tolerant text and filters."""
