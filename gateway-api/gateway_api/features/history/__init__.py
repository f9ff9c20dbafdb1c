"""What was played, when, and in which session."""
