"""The one place that puts the service together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI, Response

from dj_servicekit.http import install_error_answers
from essentia_api.decode import find_ffmpeg
from essentia_api.metrics import AnalysisMetrics
from essentia_api.pool import AnalysisPool
from essentia_api.requests import BodyLimit, sweep_scratch
from essentia_api.routes import router
from essentia_api.settings import Settings

SERVICE = "essentia-api"


def create_app(settings: Settings) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        sweep_scratch()
        app.state.pool = AnalysisPool(
            size=settings.analysis_workers,
            waiting=settings.analysis_waiting,
            timeout_seconds=settings.analysis_timeout_seconds,
            memory_mb=settings.analysis_memory_mb,
        )
        app.state.metrics = AnalysisMetrics(app.state.pool)
        yield
        app.state.pool.close()

    app = FastAPI(title="DJ Playlist analysis", version=version(SERVICE), lifespan=lifespan)
    app.state.settings = settings
    app.add_middleware(BodyLimit, max_bytes=settings.max_upload_bytes)
    install_error_answers(app)
    app.include_router(router)

    @app.get("/health", summary="Is the process up?")
    async def health() -> dict[str, str]:
        return {"status": "ok", "service": SERVICE, "version": app.version}

    @app.get("/ready", summary="Can it take work now?", responses={503: {"description": "It cannot."}})
    async def ready(response: Response) -> dict[str, object]:
        checks = {"queue": "full" if app.state.pool.is_full else "ok", "ffmpeg": _ffmpeg_state()}
        fine = all(state == "ok" for state in checks.values())
        response.status_code = 200 if fine else 503
        return {"status": "ok" if fine else "unready", "checks": checks}

    return app


def _ffmpeg_state() -> str:
    try:
        find_ffmpeg()
    except FileNotFoundError:
        return "missing"
    return "ok"
