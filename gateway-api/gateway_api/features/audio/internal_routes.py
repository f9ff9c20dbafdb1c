"""/internal/audio: a track's file for a worker that cannot see where it is kept. Behind the service token."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from gateway_api.dependencies import Gateway
from gateway_api.features.audio import usecases
from gateway_api.features.audio.media_types import media_type_of
from gateway_api.features.audio.streaming import ContentResponse

router = APIRouter(prefix="/internal/audio", include_in_schema=False)


@router.get("")
async def send(
    gateway: Gateway,
    username: Annotated[str, Query(min_length=1, max_length=200)],
    filename: Annotated[str, Query(min_length=1, max_length=4096)],
) -> Response:
    opened = await usecases.open_by_name(username, filename, gateway)
    return ContentResponse(opened, media_type_of(filename))
