"""Feeding the search engine: the outbox, in order and for ever, and full builds beside live writes."""
