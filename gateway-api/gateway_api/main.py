"""The composition root: the only place that knows every concrete class of the gateway."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import Depends, FastAPI

from dj_servicekit.http import error_answers, install_error_answers
from gateway_api.adapters.audio_folders import AudioFolders
from gateway_api.adapters.dead_pushes import DeadPushes
from gateway_api.adapters.embeddings.local import LocalEmbedder
from gateway_api.adapters.event_bus import EventBus
from gateway_api.adapters.ga_client import GAClient
from gateway_api.adapters.job_queue import JobQueue
from gateway_api.db import make_pool, transaction
from gateway_api.embedding_port import TextEmbedder
from gateway_api.features.albums import routes as albums
from gateway_api.features.audio import routes as audio
from gateway_api.features.duplicates import routes as duplicates
from gateway_api.features.embeddings.runner import keep_embeddings_for_ever
from gateway_api.features.embeddings.usecases import note_older_texts
from gateway_api.features.friends import routes as friends
from gateway_api.features.friends.store import ensure_friend
from gateway_api.features.health import routes as health
from gateway_api.features.history import routes as history
from gateway_api.features.jobs import internal_routes as internal_jobs
from gateway_api.features.jobs import routes as jobs
from gateway_api.features.jobs.sweep import sweep_for_ever
from gateway_api.features.playlists import routes as playlists
from gateway_api.features.pushes import internal_routes as internal_pushes
from gateway_api.features.pushes import routes as pushes
from gateway_api.features.scan import routes as scan
from gateway_api.features.scan.runner import run_scans_for_ever
from gateway_api.features.search import routes as search
from gateway_api.features.sets import routes as sets
from gateway_api.features.similar import routes as similar
from gateway_api.features.smart_playlists import routes as smart_playlists
from gateway_api.features.statistics import routes as statistics
from gateway_api.features.tracks import routes as tracks
from gateway_api.features.trash import routes as trash
from gateway_api.security import require_api_access, require_service_token
from gateway_api.services import Services
from gateway_api.settings import Settings

_COLLECTION = (albums, smart_playlists, history, statistics, duplicates, trash)
_LARGEST_JSON_BYTES = 16 * 1024**2
_DESCRIPTION = "Your music collection: tracks, audio, search, playlists and sets that mix."


def create_app(settings: Settings) -> FastAPI:
    app = FastAPI(
        title="DJ Playlist",
        description=_DESCRIPTION,
        version=version("gateway-api"),
        lifespan=_lifespan,
        max_body_size=_LARGEST_JSON_BYTES,
    )
    app.state.settings = settings
    install_error_answers(app)
    app.include_router(health.router)
    # Fixed paths stand before those with an id in their place: search before tracks, sets before playlists.
    for feature in (
        similar,
        search,
        tracks,
        scan,
        audio,
        sets,
        playlists,
        *_COLLECTION,
        friends,
        jobs,
        pushes,
    ):
        app.include_router(
            feature.router,
            dependencies=[Depends(require_api_access)],
            responses=error_answers(401, 403, 413, 503),
            max_body_size=settings.max_upload_bytes if feature is audio else None,
        )
    for internal in (internal_jobs, internal_pushes):
        app.include_router(internal.router, dependencies=[Depends(require_service_token)])
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    services = Services(
        settings=settings,
        db=make_pool(settings.database_url.get_secret_value(), settings.database_connections),
        queue=JobQueue(settings.redis_url.get_secret_value()),
        events=EventBus(settings.redis_url.get_secret_value()),
        dead_pushes=DeadPushes(settings.redis_url.get_secret_value()),
        ga=GAClient(settings.ga_url),
        audio=AudioFolders(settings.audio_dir, settings.music_dirs, settings.disk_floor_bytes),
        embedder=_text_embedder(settings),
    )
    app.state.services = services
    settings.audio_dir.mkdir(parents=True, exist_ok=True)
    await services.db.open(wait=True, timeout=30)
    async with transaction(services.db) as conn:
        await ensure_friend(conn, settings.default_username)
    if services.embedder is not None:
        await note_older_texts(services.db, services.embedder)
    background = [
        asyncio.create_task(sweep_for_ever(services), name="sweep"),
        asyncio.create_task(run_scans_for_ever(services), name="scans"),
        asyncio.create_task(keep_embeddings_for_ever(services), name="embeddings"),
    ]
    try:
        yield
    finally:
        for task in background:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*background)
        if services.embedder is not None:
            await services.embedder.close()
        await services.ga.close()
        await services.events.close()
        services.queue.close()
        services.dead_pushes.close()
        await services.db.close()


def _text_embedder(settings: Settings) -> TextEmbedder | None:
    if settings.embeddings == "off":
        return None
    if settings.embeddings == "local":
        return LocalEmbedder()
    # The client of a service takes 60 MB, which an installation with the local model need not spend.
    from gateway_api.adapters.embeddings.openai_form import OpenAIEmbedder

    key = settings.embeddings_api_key
    return OpenAIEmbedder(
        settings.embeddings_base_url,
        key.get_secret_value() if key else None,
        settings.embeddings_model,
        settings.embeddings_dimensions,
        settings.embeddings_floor,
    )
