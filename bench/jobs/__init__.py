"""What a job costs beside the work itself, and how soon its progress is seen."""
