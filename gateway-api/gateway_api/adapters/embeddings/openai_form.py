"""Vectors from any service that speaks OpenAI's form: OpenAI, OpenRouter, Ollama, llama.cpp, LM Studio."""

from collections.abc import Sequence

import openai

from gateway_api.embedding_port import EmbeddingsAway, TextRefused, Vector, unit

_SECONDS = 30
_REFUSALS = (400, 413, 422)


class OpenAIEmbedder:
    def __init__(
        self, base_url: str, api_key: str | None, model: str, dimensions: int | None, floor: float
    ) -> None:
        # A local server wants no key, and the client wants one that is not empty.
        self._client = openai.AsyncOpenAI(
            base_url=base_url, api_key=api_key or "none", timeout=_SECONDS, max_retries=2
        )
        self._name = model
        self._dimensions = dimensions
        self.model = f"{model}/{dimensions}" if dimensions else model
        self.floor = floor

    async def embed(self, texts: Sequence[str]) -> list[Vector | None]:
        if not texts:
            return []
        # Many services refuse empty text.
        asked = [text or " " for text in texts]
        try:
            answer = await self._client.embeddings.create(
                input=asked,
                model=self._name,
                # Not every service knows the parameter, nor packs numbers in base64.
                dimensions=self._dimensions if self._dimensions else openai.omit,
                encoding_format="float",
            )
        except openai.APIStatusError as exc:
            if exc.status_code in _REFUSALS:
                raise TextRefused(f"The embeddings service refused: {exc.message}") from exc
            raise EmbeddingsAway(f"The embeddings service answers {exc.status_code}.") from exc
        except openai.OpenAIError as exc:
            raise EmbeddingsAway(f"The embeddings service does not answer: {exc}") from exc
        # An answer in another form than theirs comes out without data.
        vectors = {one.index: one.embedding for one in answer.data or ()}
        if sorted(vectors) != list(range(len(asked))):
            raise EmbeddingsAway("The embeddings service answered with another number of vectors.")
        if self._dimensions and any(len(vector) != self._dimensions for vector in vectors.values()):
            raise EmbeddingsAway(
                f"The embeddings service does not give {self._dimensions} numbers a text: set "
                "EMBEDDINGS_DIMENSIONS to what its model has, or leave it out."
            )
        return [unit(vectors[place]) if texts[place].strip() else None for place in range(len(asked))]

    async def close(self) -> None:
        await self._client.close()
