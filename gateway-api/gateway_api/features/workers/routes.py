"""/api/workers: is there a worker, and are its tools fit for work."""

from fastapi import APIRouter

from gateway_api.dependencies import Gateway
from gateway_api.features.workers import usecases
from gateway_api.features.workers.models import WorkerList

router = APIRouter(prefix="/api/workers", tags=["health"])


@router.get("")
async def list_workers(gateway: Gateway) -> WorkerList:
    """The workers of the last day, with the versions and ages of yt-dlp, Deno, ffmpeg and gamdl, and the
    ages of the cookie files."""
    return await usecases.list_workers(gateway.db)
