"""Albums, which are releases, and their tracks."""
