"""Embeds beside the requests, as long as the gateway runs."""

import asyncio

from dj_servicekit.errors import UpstreamUnavailable
from dj_servicekit.logs import log
from gateway_api.embedding_port import EmbeddingsAway
from gateway_api.features.embeddings import usecases
from gateway_api.services import Services

_AWAY_SECONDS = 15
_INDEX_SECONDS = 60


async def keep_texts_for_ever(services: Services) -> None:
    if services.embedder is None:
        return
    while True:
        try:
            if await usecases.embed_due(services.db, services.embedder) == 0:
                await asyncio.sleep(services.settings.sweep_seconds)
        except (EmbeddingsAway, UpstreamUnavailable) as exc:
            log.warning("embeddings_postponed", reason=str(exc))
            await asyncio.sleep(_AWAY_SECONDS)


async def keep_vector_indexes_for_ever(services: Services) -> None:
    while True:
        try:
            await usecases.ensure_indexes(services.db)
        except UpstreamUnavailable as exc:
            log.warning("embedding_indexes_postponed", reason=exc.detail)
        await asyncio.sleep(_INDEX_SECONDS)
