"""One question, answered in Meilisearch's shape."""

import time
from itertools import product

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
            # Most words of a query are typed right, and those narrow the search; two that are right
            # but never stand together are the reason to try them all in near spellings.
            known = await store.list_known_words(conn, username, words)
            narrowing = (known, set[str]()) if 0 < len(known) < len(words) else (set[str](),)
            for exact, similarity in product(narrowing, store.SIMILARITIES):
                rows, total = await store.search_similar(
                    conn,
                    username,
                    words,
                    filters,
                    exact=exact,
                    similarity=similarity,
                    limit=limit,
                    offset=offset,
                )
                if total:
                    break
    return SearchHits(
        hits=[row.to_track() for row in rows],
        query=text,
        offset=offset,
        limit=limit,
        estimatedTotalHits=total,
        processingTimeMs=round((time.perf_counter() - started) * 1000),
    )
