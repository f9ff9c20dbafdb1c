"""What the gateway asks of whatever turns text into vectors: a local model, or a service."""

from collections.abc import Sequence
from typing import Protocol

Vector = list[float]


class EmbeddingsAway(Exception):
    """The service does not answer, or has had enough for now: try again later."""


class TextRefused(Exception):
    """The service will not take one of these texts, however often it is asked."""


class TextEmbedder(Protocol):
    """Vectors of one model. Those of two models are never compared."""

    @property
    def model(self) -> str:
        """Names the model, and what else decides its vectors."""
        ...

    @property
    def floor(self) -> float:
        """The cosine similarity under which two texts have nothing to do with each other."""
        ...

    async def embed(self, texts: Sequence[str]) -> list[Vector | None]:
        """A vector of length one for each text, or None for a text that says nothing to the model."""
        ...

    async def close(self) -> None: ...


def unit(vector: Sequence[float]) -> Vector | None:
    """The vector at length one; None when it has no direction, for cosine has nothing to say of it."""
    length = sum(x * x for x in vector) ** 0.5
    return [x / length for x in vector] if 0 < length < float("inf") else None
