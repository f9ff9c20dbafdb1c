"""Tests that talk to a running constellation through its public ports only."""
