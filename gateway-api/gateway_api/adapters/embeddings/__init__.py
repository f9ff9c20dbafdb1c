"""Text into vectors: a model of our own, or a service that speaks OpenAI's form."""
