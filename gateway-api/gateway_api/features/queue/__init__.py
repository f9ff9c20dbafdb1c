"""Between the jobs in Postgres and the ids in Redis: what may run now, and repairs."""
