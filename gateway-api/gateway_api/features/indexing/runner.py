"""The task beside the requests that keeps the search index, for ever."""

import asyncio

from dj_servicekit.errors import UpstreamUnavailable
from dj_servicekit.logs import log
from gateway_api.adapters.meilisearch.index import IndexRefused
from gateway_api.db import transaction
from gateway_api.features.indexing import store
from gateway_api.features.indexing.usecases import IndexKeeper
from gateway_api.search_port import EngineAway
from gateway_api.services import Services

_LONGEST_WAIT_SECONDS = 30.0


async def keep_index_for_ever(services: Services) -> None:
    if services.index is None:
        await _forget(services)
        return
    poll = services.settings.index_poll_seconds
    keeper = IndexKeeper(services.db, services.index)
    wait = poll
    while True:
        try:
            while await keeper.step():
                pass
        except (EngineAway, IndexRefused, UpstreamUnavailable) as exc:
            log.warning("search_index_waits", reason=str(exc), again_in_seconds=wait)
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT_SECONDS)
        else:
            wait = poll
            await asyncio.sleep(poll)


async def _forget(services: Services) -> None:
    """Without an engine, entries would gather for nobody."""
    while True:
        try:
            async with transaction(services.db) as conn:
                await store.forget_indexes(conn)
            return
        except UpstreamUnavailable as exc:
            log.warning(
                "search_index_waits", reason=str(exc), again_in_seconds=services.settings.index_poll_seconds
            )
            await asyncio.sleep(services.settings.index_poll_seconds)
