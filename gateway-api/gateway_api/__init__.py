"""REST API and web page: the only service that writes to Postgres."""
