"""/health, /ready and /metrics."""

import asyncio
from importlib.metadata import version
from typing import Any, Literal

import httpx
from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from dj_servicekit.errors import UpstreamUnavailable
from gateway_api.db import transaction
from gateway_api.dependencies import Gateway
from gateway_api.features.health import store
from gateway_api.features.health.gauges import read_gauges
from gateway_api.security import require_api_access
from gateway_api.services import Services

router = APIRouter(tags=["health"])


class Health(BaseModel):
    status: Literal["ok"] = "ok"
    service: str = "gateway-api"
    version: str


class Readiness(BaseModel):
    """``checks`` says of each part whether it answers. Only the database is needed to be ready: jobs
    wait for the rest."""

    status: Literal["ready", "not ready"]
    checks: dict[str, bool]


_NOT_READY: dict[int | str, dict[str, Any]] = {503: {"model": Readiness}}


@router.get("/health")
async def health() -> Health:
    """The process is alive. Asks nothing of anybody."""
    return Health(version=version("gateway-api"))


@router.get("/ready", responses=_NOT_READY)
async def ready(gateway: Gateway, response: Response) -> Readiness:
    names = ("postgres", "redis", "essentia", "ga", "storage")
    answers = await asyncio.gather(
        _database_answers(gateway),
        gateway.queue.ping(),
        _answers(gateway.settings.essentia_url),
        gateway.ga.ready(),
        gateway.storage.answers(),
    )
    checks = dict(zip(names, answers, strict=True))
    if gateway.index is not None:
        checks["meilisearch"] = await gateway.index.answers()
    if not checks["postgres"]:
        response.status_code = 503
    return Readiness(status="ready" if checks["postgres"] else "not ready", checks=checks)


@router.get("/metrics", dependencies=[Depends(require_api_access)], include_in_schema=False)
async def metrics(gateway: Gateway, request: Request) -> Response:
    """For Prometheus. With API_TOKEN set it needs that token, as everything that tells of the collection."""
    now = await read_gauges(gateway)
    text = generate_latest(request.app.state.metrics.registry) + generate_latest(now)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


async def _database_answers(gateway: Services) -> bool:
    try:
        async with transaction(gateway.db) as conn:
            await store.ask(conn)
    except UpstreamUnavailable:
        return False
    return True


async def _answers(base_url: str) -> bool:
    try:
        async with httpx.AsyncClient(timeout=2) as http:
            return (await http.get(f"{base_url}/health")).is_success
    except httpx.HTTPError:
        return False
