"""One question, answered in Meilisearch's shape."""

import time

from dj_contracts.tracks import SearchHits
from gateway_api.db import Connection, Pool, transaction
from gateway_api.features.search import store
from gateway_api.features.tracks.filters import TrackFilter
from gateway_api.features.tracks.models import TrackRow

_MOST_WORDS = 10  # as Meilisearch: further words of a query are passed over


async def search_tracks(
    db: Pool, username: str, text: str, *, filters: TrackFilter, limit: int, offset: int
) -> SearchHits:
    started = time.perf_counter()
    async with transaction(db) as conn:
        words = (await store.fold(conn, text))[:_MOST_WORDS]
        rows, total = await store.search_words(
            conn, username, [[word] for word in words], filters, limit=limit, offset=offset
        )
        if words and total == 0:
            rows, total = await _search_near(conn, username, words, filters, limit=limit, offset=offset)
    return SearchHits(
        hits=[row.to_track() for row in rows],
        query=text,
        offset=offset,
        limit=limit,
        estimatedTotalHits=total,
        processingTimeMs=round((time.perf_counter() - started) * 1000),
    )


async def _search_near(
    conn: Connection, username: str, words: list[str], filters: TrackFilter, *, limit: int, offset: int
) -> tuple[list[TrackRow], int]:
    """With near spellings of the words that stand nowhere, beside those that do; and where no track has
    these together, of all words, for each may be a slip that happens to be another word."""
    known = await store.list_known_words(conn, username, words)
    right = [word for word in words if word in known]
    spellings = [
        [word] if word in known else await store.list_near_words(conn, username, word, beside=right)
        for word in words
    ]
    if not all(spellings) or not await store.exists_together(conn, username, spellings):
        spellings = [
            [word] * (word in known) + await store.list_near_words(conn, username, word) for word in words
        ]
    if not all(spellings):
        return [], 0
    return await store.search_words(conn, username, spellings, filters, limit=limit, offset=offset)
