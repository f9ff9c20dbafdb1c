"""The constellation on one machine, without Docker."""
