"""RQ workers: downloads and analysis, reported to the gateway."""
