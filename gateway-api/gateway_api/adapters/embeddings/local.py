"""The model that comes with the installation: small, without a key, and nothing is fetched at run time.

Its weights and its tokenizer lie in the wheel of wordllama. That package's own code is not run: all it does
here is to average the rows of a table, and for that it wants numpy and the client of a hub: 110 MB.

It is loaded when the first text comes, in a thread, and once for the process. It knows words and little of
music, so its floor is high; see features/embeddings/texts.py.
"""

import asyncio
import json
import struct
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from tokenizers import Tokenizer

from gateway_api.embedding_port import Vector, unit

_TENSOR = "embedding.weight"


class LocalEmbedder:
    model = "wordllama-l2-supercat-256"
    # Measured on descriptions of music: what is meant scores 0.31 to 0.66, what is not up to 0.2.
    floor = 0.27

    async def embed(self, texts: Sequence[str]) -> list[Vector | None]:
        return await asyncio.to_thread(_embed, list(texts))

    async def close(self) -> None:
        """Nothing is held open."""


class _Table:
    """A row of numbers for each token, in half precision, as the safetensors file has them."""

    def __init__(self, file: Path) -> None:
        content = file.read_bytes()
        (header_length,) = struct.unpack_from("<Q", content)
        tensor = json.loads(content[8 : 8 + header_length])[_TENSOR]
        if tensor["dtype"] != "F16":
            raise ValueError(f"{file.name} holds {tensor['dtype']}, and F16 is what is read here.")
        self._rows, self._width = tensor["shape"]
        self._row = struct.Struct(f"<{self._width}e")
        start = 8 + header_length + tensor["data_offsets"][0]
        self._numbers = content[start : start + self._rows * self._row.size]

    def mean(self, ids: Sequence[int]) -> Sequence[float]:
        rows = [
            self._row.unpack_from(self._numbers, min(each, self._rows - 1) * self._row.size) for each in ids
        ]
        return [sum(column) / len(rows) for column in zip(*rows, strict=True)]


@lru_cache(maxsize=1)
def _model() -> tuple[Tokenizer, _Table]:
    spec = find_spec("wordllama")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("wordllama is not installed; set EMBEDDINGS to openai or off.")
    home = Path(spec.submodule_search_locations[0])
    tokenizer = Tokenizer.from_file(str(home / "tokenizers" / "l2_supercat_tokenizer_config.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer, _Table(home / "weights" / "l2_supercat_256.safetensors")


def _embed(texts: list[str]) -> list[Vector | None]:
    tokenizer, table = _model()
    tokens = tokenizer.encode_batch(texts, add_special_tokens=False)
    return [unit(table.mean(each.ids)) for each in tokens]
