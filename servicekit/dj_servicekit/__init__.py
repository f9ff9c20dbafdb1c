"""Settings, logs and error answers, spelled once for every service."""
