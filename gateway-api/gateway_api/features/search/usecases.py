"""One question, answered in Meilisearch's shape."""

import time

from dj_contracts.tracks import SearchHits
from gateway_api.db import Pool, transaction
from gateway_api.features.search import store
from gateway_api.features.tracks.filters import TrackFilter

_MOST_WORDS = 10  # as Meilisearch: further words of a query are passed over


async def search_tracks(
    db: Pool, username: str, text: str, *, filters: TrackFilter, limit: int, offset: int
) -> SearchHits:
    started = time.perf_counter()
    async with transaction(db) as conn:
        words = (await store.fold(conn, text))[:_MOST_WORDS]
        rows, total = await store.search_exact(conn, username, words, filters, limit=limit, offset=offset)
        if words and total == 0:
            rows, total = await store.search_similar(
                conn, username, words, filters, limit=limit, offset=offset
            )
    return SearchHits(
        hits=[row.to_track() for row in rows],
        query=text,
        offset=offset,
        limit=limit,
        estimatedTotalHits=total,
        processingTimeMs=round((time.perf_counter() - started) * 1000),
    )
