"""The model that comes with the installation: small, without a key, and nothing is fetched at run time.

It is loaded when the first text comes, in a thread, and once for the process: it takes about 100 MB.
It knows words and little of music, so its floor is high; see features/embeddings/texts.py.
"""

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from gateway_api.embedding_port import Vector, unit

_loading = Lock()


class LocalEmbedder:
    model = "wordllama-l2-supercat-256"
    # Measured on descriptions of music: what is meant scores 0.31 to 0.66, what is not up to 0.2.
    floor = 0.27

    async def embed(self, texts: Sequence[str]) -> list[Vector | None]:
        return await asyncio.to_thread(_embed, list(texts))

    async def close(self) -> None:
        """Nothing is held open."""


@lru_cache(maxsize=1)
def _model() -> Any:
    import wordllama  # here, because it is only loaded where it is used

    # Without the folder of its own package it would look for its weights on the network.
    home = Path(wordllama.__file__).parent
    return wordllama.WordLlama.load(cache_dir=home, disable_download=True)


def _embed(texts: list[str]) -> list[Vector | None]:
    if not texts:
        return []
    with _loading:  # eight questions that come first would load it eight times, of 60 MB each
        model = _model()
    # One at a time: in a batch each text takes the room of the longest, 300 MB beside a long note.
    return [unit(vector) for vector in model.embed(texts, batch_size=1).tolist()]
