"""Embeds beside the requests, as long as the gateway runs."""

import asyncio

from dj_servicekit.errors import UpstreamUnavailable
from dj_servicekit.logs import log
from gateway_api.embedding_port import EmbeddingsAway, TextEmbedder
from gateway_api.features.embeddings import usecases
from gateway_api.services import Services

_AWAY_SECONDS = 15
_INDEX_SECONDS = 60


async def keep_embeddings_for_ever(services: Services) -> None:
    await asyncio.gather(
        _keep_indexes(services), *([_keep_texts(services, services.embedder)] if services.embedder else [])
    )


async def _keep_texts(services: Services, embedder: TextEmbedder) -> None:
    while True:
        try:
            if await usecases.embed_due(services.db, embedder) == 0:
                await asyncio.sleep(services.settings.sweep_seconds)
        except (EmbeddingsAway, UpstreamUnavailable) as exc:
            log.warning("embeddings_postponed", reason=str(exc))
            await asyncio.sleep(_AWAY_SECONDS)


async def _keep_indexes(services: Services) -> None:
    while True:
        try:
            await usecases.ensure_indexes(services.db)
        except UpstreamUnavailable as exc:
            log.warning("embedding_indexes_postponed", reason=exc.detail)
        await asyncio.sleep(_INDEX_SECONDS)
