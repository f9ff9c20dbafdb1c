"""The compose files as they are, on a real engine: each test is something that happens to a self-hoster."""
