"""Embeds the texts that are due, a batch at a time, and keeps an index for each model that has many."""

from collections.abc import Sequence

from dj_contracts.analysis import Embedding
from dj_servicekit.logs import log
from gateway_api.db import Connection, Pool, reading, transaction
from gateway_api.embedding_port import TextEmbedder, TextRefused, Vector, unit
from gateway_api.features.embeddings import store
from gateway_api.features.embeddings.models import EmbeddingStatus
from gateway_api.features.embeddings.store import MadeText
from gateway_api.features.embeddings.texts import RECIPE, describe, fingerprint

BATCH = 256
# Below this an exact scan is as quick, and an index would have to be kept up for nothing.
_INDEX_FROM = 2000


async def note_older_texts(db: Pool, embedder: TextEmbedder) -> None:
    """Note what another model or recipe has left, before anybody asks whether all is embedded."""
    async with transaction(db) as conn:
        tracks = await store.require_texts_of(conn, embedder.model, RECIPE)
    if tracks:
        log.info("texts_to_embed", model=embedder.model, tracks=tracks)


async def get_status(db: Pool, embedder: TextEmbedder | None, username: str) -> EmbeddingStatus:
    model = embedder.model if embedder else None
    async with reading(db) as conn:
        embedded, wordless, waiting = await store.count_texts(conn, username, model or "")
    return EmbeddingStatus(model=model, embedded=embedded, wordless=wordless, waiting=waiting)


async def embed_due(db: Pool, embedder: TextEmbedder, limit: int = BATCH) -> int:
    """One batch; how many texts it settled. Killed at any point, it is simply done again."""
    async with reading(db) as conn:
        due = await store.list_due_texts(conn, limit)
    texts = {one.change: describe(one) for one in due}
    changed = [
        one for one in due if (one.model, one.made_from) != (embedder.model, fingerprint(texts[one.change]))
    ]
    # No connection is held while the model, or a service far away, is at work.
    vectors = await _embed(embedder, [texts[one.change] for one in changed])
    async with transaction(db) as conn:
        made = [
            MadeText(one, fingerprint(texts[one.change]), vector)
            for one, vector in zip(changed, vectors, strict=True)
        ]
        await store.save_texts(conn, embedder.model, made)
        await store.settle(conn, due)
    return len(due)


async def ensure_indexes(db: Pool) -> None:
    async with reading(db) as conn:
        spaces = await store.list_spaces(conn, _INDEX_FROM)
    for space in spaces:
        async with reading(db) as conn:
            if await store.ensure_index(conn, space):
                log.info("embedding_index_made", kind=space.kind, model=space.model, dims=space.dims)


async def keep_sound(conn: Connection, username: str, track_id: str, embedding: Embedding) -> None:
    """Keep how a track sounds, as its analysis says; vectors without a direction say nothing."""
    if (vector := unit(embedding.vector)) is not None:
        await store.save_sound(conn, username, track_id, f"{embedding.name}/{embedding.version}", vector)


async def _embed(embedder: TextEmbedder, texts: Sequence[str]) -> list[Vector | None]:
    """As the embedder does; a text that it refuses is found by halving, and has no vector."""
    if not texts:
        return []
    try:
        return await embedder.embed(texts)
    except TextRefused as exc:
        if len(texts) == 1:
            log.warning("text_not_embedded", reason=str(exc))
            return [None]
    half = len(texts) // 2
    return await _embed(embedder, texts[:half]) + await _embed(embedder, texts[half:])
