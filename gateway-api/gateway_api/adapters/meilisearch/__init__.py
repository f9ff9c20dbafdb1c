"""The search index at a Meilisearch server: what it holds, how it is asked, how it is fed."""
