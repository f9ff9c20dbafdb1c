"""What two DJ Playlist processes must agree on: wire models, key names and error codes."""
