"""The API to read and to try."""
