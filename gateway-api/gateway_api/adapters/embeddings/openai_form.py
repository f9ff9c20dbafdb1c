"""Vectors from any service that speaks OpenAI's form: OpenAI, OpenRouter, Ollama, llama.cpp, LM Studio.

One request of that form is all that is used, so it is sent as it is: their client would be 30 MB of the
image and 60 MB of memory.
"""

from collections.abc import Sequence
from typing import Any

import httpx
from pydantic import BaseModel, ValidationError

from gateway_api.embedding_port import EmbeddingsAway, TextRefused, Vector, unit

_SECONDS = 30
_CONNECT_SECONDS = 5
_REFUSALS = (400, 413, 422)


class _Embedded(BaseModel):
    index: int
    embedding: list[float]


class _Answer(BaseModel):
    data: list[_Embedded]


class OpenAIEmbedder:
    def __init__(
        self, base_url: str, api_key: str | None, model: str, dimensions: int | None, floor: float
    ) -> None:
        self._http = httpx.AsyncClient(
            base_url=base_url,
            # A local server wants no key, and some want one that is not empty.
            headers={"Authorization": f"Bearer {api_key or 'none'}"},
            timeout=httpx.Timeout(_SECONDS, connect=_CONNECT_SECONDS),
        )
        self._name = model
        self._dimensions = dimensions
        self.model = f"{model}/{dimensions}" if dimensions else model
        self.floor = floor

    async def embed(self, texts: Sequence[str]) -> list[Vector | None]:
        if not texts:
            return []
        # Many services refuse empty text, and not every one packs numbers in base64.
        wish: dict[str, Any] = {
            "model": self._name,
            "input": [text or " " for text in texts],
            "encoding_format": "float",
        }
        # Nor does every service know this one.
        if self._dimensions:
            wish["dimensions"] = self._dimensions
        vectors = {one.index: one.embedding for one in (await self._ask(wish)).data}
        if sorted(vectors) != list(range(len(texts))):
            raise EmbeddingsAway("The embeddings service answered with another number of vectors.")
        if self._dimensions and any(len(vector) != self._dimensions for vector in vectors.values()):
            raise EmbeddingsAway(
                f"The embeddings service does not give {self._dimensions} numbers a text: set "
                "EMBEDDINGS_DIMENSIONS to what its model has, or leave it out."
            )
        return [unit(vectors[place]) if text.strip() else None for place, text in enumerate(texts)]

    async def close(self) -> None:
        await self._http.aclose()

    async def _ask(self, wish: dict[str, Any]) -> _Answer:
        try:
            answer = await self._http.post("embeddings", json=wish)
        except httpx.HTTPError as exc:
            raise EmbeddingsAway(f"The embeddings service does not answer: {exc!r}") from exc
        if answer.status_code in _REFUSALS:
            raise TextRefused(f"The embeddings service refused: {answer.text[:500]}")
        if not answer.is_success:
            raise EmbeddingsAway(f"The embeddings service answers {answer.status_code}.")
        try:
            return _Answer.model_validate_json(answer.content)
        except ValidationError as exc:
            raise EmbeddingsAway("The embeddings service answers in another form than OpenAI's.") from exc
