"""Where audio comes from. Each source fetches into the job's own folder and verifies nothing."""
