"""The composition root: the only place that knows every concrete class of the gateway."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version

from fastapi import Depends, FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware

from dj_servicekit.http import error_answers, install_error_answers
from gateway_api.adapters.audio_folders import AudioFolders
from gateway_api.adapters.audio_storage import AudioStorage, FolderStorage
from gateway_api.adapters.backup_folder import BackupFolder
from gateway_api.adapters.dead_pushes import DeadPushes
from gateway_api.adapters.embeddings.local import LocalEmbedder
from gateway_api.adapters.event_bus import EventBus
from gateway_api.adapters.ga_client import GAClient
from gateway_api.adapters.job_queue import JobQueue
from gateway_api.adapters.meilisearch.index import MeilisearchIndex
from gateway_api.adapters.s3_storage import S3Storage, make_client
from gateway_api.background import beside_the_requests
from gateway_api.db import make_pool, transaction
from gateway_api.embedding_port import TextEmbedder
from gateway_api.features.albums import routes as albums
from gateway_api.features.audio import internal_routes as internal_audio
from gateway_api.features.audio import routes as audio
from gateway_api.features.backup import routes as backup
from gateway_api.features.backup.runner import run_backups_for_ever
from gateway_api.features.docs import routes as docs
from gateway_api.features.downloads import internal_routes as internal_fingerprints
from gateway_api.features.downloads import routes as downloads
from gateway_api.features.duplicates import routes as duplicates
from gateway_api.features.embeddings import routes as embeddings
from gateway_api.features.embeddings.runner import keep_texts_for_ever, keep_vector_indexes_for_ever
from gateway_api.features.embeddings.usecases import note_older_texts
from gateway_api.features.friends import routes as friends
from gateway_api.features.friends.store import ensure_friend
from gateway_api.features.health import routes as health
from gateway_api.features.health.metrics import CountRequests, RequestMetrics
from gateway_api.features.history import routes as history
from gateway_api.features.idempotency.once import AnsweredBefore, KeepAnswers, answer_again, once
from gateway_api.features.indexing import routes as indexing
from gateway_api.features.indexing.runner import keep_index_for_ever
from gateway_api.features.jobs import internal_routes as internal_jobs
from gateway_api.features.jobs import routes as jobs
from gateway_api.features.pictures import routes as pictures
from gateway_api.features.playlists import routes as playlists
from gateway_api.features.pushes import internal_routes as internal_pushes
from gateway_api.features.pushes import routes as pushes
from gateway_api.features.queue.sweep import sweep_for_ever
from gateway_api.features.reanalysis import routes as reanalysis
from gateway_api.features.reanalysis.runner import run_reanalyses_for_ever
from gateway_api.features.review import routes as review
from gateway_api.features.scan import routes as scan
from gateway_api.features.scan.runner import run_scans_for_ever
from gateway_api.features.search import routes as search
from gateway_api.features.sets import routes as sets
from gateway_api.features.similar import routes as similar
from gateway_api.features.smart_playlists import routes as smart_playlists
from gateway_api.features.statistics import routes as statistics
from gateway_api.features.tracks import routes as tracks
from gateway_api.features.trash import routes as trash
from gateway_api.features.workers import internal_routes as internal_workers
from gateway_api.features.workers import routes as workers
from gateway_api.host_limits import HostLimits
from gateway_api.rate_limit import RateLimit
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
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings = settings
    _add_middleware(app, settings)
    app.include_router(health.router)
    app.include_router(docs.router)
    # A route is looked for in this order, and workers ask the most.
    for internal in (internal_jobs, internal_audio, internal_fingerprints, internal_pushes, internal_workers):
        app.include_router(internal.router, dependencies=[Depends(require_service_token)])
    # Fixed paths stand before those with an id in their place: search before tracks, sets before playlists.
    for feature in (
        search,
        tracks,
        similar,
        indexing,
        embeddings,
        scan,
        audio,
        pictures,
        sets,
        playlists,
        *_COLLECTION,
        friends,
        reanalysis,
        jobs,
        downloads,
        review,
        pushes,
        backup,
        workers,
    ):
        app.include_router(
            feature.router,
            dependencies=[Depends(_admit)],
            responses=error_answers(401, 403, 413, 503),
            max_body_size=settings.max_upload_bytes if feature in (audio, backup) else None,
        )
    return app


async def _admit(request: Request) -> None:
    """Two checks in one dependency: to solve one costs as much as it does."""
    await require_api_access(request)
    await once(request)


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    """From the innermost to the outermost."""
    app.add_exception_handler(AnsweredBefore, answer_again)
    app.add_middleware(KeepAnswers)
    # Audio, pictures and live events are left alone: the middleware knows them by their types.
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=4)
    app.add_middleware(RateLimit, per_second=settings.rate_limit_per_second)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["ETag", "X-Request-ID", "Content-Range"],
        )
    app.state.metrics = RequestMetrics()
    app.add_middleware(CountRequests, metrics=app.state.metrics)
    install_error_answers(app)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    folders = AudioFolders(settings.audio_dir, settings.music_dirs, settings.disk_floor_bytes)
    services = Services(
        settings=settings,
        db=make_pool(settings.database_url.get_secret_value(), settings.database_connections),
        queue=JobQueue(settings.redis_url.get_secret_value(), HostLimits.parse(settings.host_limits)),
        events=EventBus(settings.redis_url.get_secret_value()),
        dead_pushes=DeadPushes(settings.redis_url.get_secret_value()),
        ga=GAClient(settings.ga_url),
        index=_search_index(settings),
        embedder=_text_embedder(settings),
        audio=folders,
        storage=_audio_storage(settings, folders),
        backups=BackupFolder(settings.folder_of_backups, settings.disk_floor_bytes),
    )
    app.state.services = services
    settings.audio_dir.mkdir(parents=True, exist_ok=True)
    await services.db.open(wait=True, timeout=30)
    async with transaction(services.db) as conn:
        await ensure_friend(conn, settings.default_username)
    if services.embedder is not None:
        await note_older_texts(services.db, services.embedder)
    try:
        async with beside_the_requests(
            sweep=partial(sweep_for_ever, services),
            scans=partial(run_scans_for_ever, services),
            reanalyses=partial(run_reanalyses_for_ever, services),
            text_embeddings=partial(keep_texts_for_ever, services),
            vector_indexes=partial(keep_vector_indexes_for_ever, services),
            search_index=partial(keep_index_for_ever, services),
            backups=partial(run_backups_for_ever, services),
        ):
            yield
    finally:
        if services.embedder is not None:
            await services.embedder.close()
        if services.index is not None:
            services.index.close()
        await services.ga.close()
        await services.events.close()
        services.queue.close()
        services.dead_pushes.close()
        await services.db.close()


def _audio_storage(settings: Settings, folders: AudioFolders) -> AudioStorage:
    local = FolderStorage(folders)
    if not (settings.s3_url and settings.s3_bucket and settings.s3_access_key and settings.s3_secret_key):
        return local
    secret = settings.s3_secret_key.get_secret_value()
    client = make_client(settings.s3_url, settings.s3_access_key, secret, settings.s3_region)
    return S3Storage(client, settings.s3_bucket, settings.s3_prefix, local)


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


def _search_index(settings: Settings) -> MeilisearchIndex | None:
    """None where search runs on Postgres alone."""
    if settings.meili_url is None:
        return None
    key = settings.meili_key.get_secret_value() if settings.meili_key else None
    return MeilisearchIndex(settings.meili_url, key, settings.meili_index, settings.meili_timeout_seconds)
