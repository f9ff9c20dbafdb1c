"""The one place that puts the service together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI, Response

from dj_servicekit.http import install_error_answers
from ga_service.body_limit import BodyLimit
from ga_service.pool import ComputePool
from ga_service.routes import router
from ga_service.settings import Settings

SERVICE = "ga-service"


def create_app(settings: Settings) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        pool = ComputePool(
            size=settings.ga_workers,
            waiting=settings.ga_waiting,
            timeout_seconds=settings.ga_timeout_seconds,
        )
        await pool.start()
        app.state.pool = pool
        yield
        await pool.close()

    app = FastAPI(
        title="DJ Playlist set builder",
        version=version(SERVICE),
        lifespan=lifespan,
        strict_content_type=False,
    )
    install_error_answers(app)
    app.add_middleware(BodyLimit, most_bytes=settings.ga_max_body_bytes)
    app.include_router(router)

    @app.get("/health", summary="Is the process up?")
    async def health() -> dict[str, str]:
        return {"status": "ok", "service": SERVICE, "version": app.version}

    @app.get(
        "/ready", summary="Can it take work now?", responses={503: {"description": "The queue is full."}}
    )
    async def ready(response: Response) -> dict[str, object]:
        full = app.state.pool.is_full
        response.status_code = 503 if full else 200
        return {"status": "busy" if full else "ok", "checks": {"queue": "full" if full else "ok"}}

    return app
