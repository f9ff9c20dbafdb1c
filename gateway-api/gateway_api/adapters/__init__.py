"""The outside systems of the gateway, each behind what the use-cases need of it."""
