"""/api/upload, /api/audio and /api/tracks/{id}/audio."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from dj_contracts.jobs import Job
from dj_contracts.tracks import Track
from dj_servicekit.http import error_answers
from gateway_api.dependencies import Gateway, Owner, TrackIDPath
from gateway_api.features.audio import usecases
from gateway_api.features.audio.incoming import form_file, named_file
from gateway_api.features.audio.media_types import media_type_of
from gateway_api.features.audio.streaming import ContentResponse

router = APIRouter(prefix="/api", tags=["audio"])

Version = Annotated[
    str | None,
    Query(
        alias="v",
        max_length=200,
        description="The ETag without its quotes: a URL with the right one may be cached for ever.",
    ),
]
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"audio/*": {}}, "description": "The whole file."},
    206: {"content": {"audio/*": {}, "multipart/byteranges": {}}, "description": "The asked ranges of it."},
    304: {"description": "The caller has this version."},
    **error_answers(403, 404, 412, 416, 422),
}
_FILE = {"type": "string", "format": "binary"}
_FORM = {"schema": {"type": "object", "required": ["file"], "properties": {"file": _FILE}}}
_UPLOADED = error_answers(404, 413, 415, 422, 507)


@router.post(
    "/upload",
    status_code=201,
    responses=_UPLOADED,
    openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": _FORM}}},
)
async def upload(gateway: Gateway, owner: Owner, request: Request, response: Response) -> Track:
    """Add a file: ``curl -F file=@song.mp3 .../api/upload``. Its analysis is queued. The same content
    again answers 200 with the track there is."""
    pieces = form_file(request.stream(), request.headers.get("content-type", ""))
    track, is_new = await usecases.upload_track(owner, pieces, gateway)
    response.status_code = 201 if is_new else 200
    return track


@router.put(
    "/upload/{filename}",
    status_code=201,
    responses=_UPLOADED,
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/octet-stream": {"schema": _FILE}}}
    },
)
async def upload_body(
    gateway: Gateway,
    owner: Owner,
    filename: Annotated[str, Path(max_length=1000)],
    request: Request,
    response: Response,
) -> Track:
    """Add a file that is the body itself: ``curl -T song.mp3 .../api/upload/``."""
    track, is_new = await usecases.upload_track(owner, named_file(request.stream(), filename), gateway)
    response.status_code = 201 if is_new else 200
    return track


@router.post(
    "/tracks/{track_id}/audio",
    status_code=202,
    responses=_UPLOADED,
    openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": _FORM}}},
)
async def upload_for_track(gateway: Gateway, owner: Owner, track_id: TrackIDPath, request: Request) -> Job:
    """Give a track that is there already its file: it is verified, attached and analysed as a job."""
    pieces = form_file(request.stream(), request.headers.get("content-type", ""))
    return await usecases.upload_for_track(owner, track_id, pieces, gateway)


@router.head("/audio", include_in_schema=False)
@router.get("/audio", response_class=Response, responses=_STREAM)
async def stream_by_name(
    gateway: Gateway,
    owner: Owner,
    filename: Annotated[str, Query(min_length=1, max_length=4096)],
    version: Version = None,
) -> Response:
    """Stream a file by a track's ``local_audio_url``, with ranges."""
    opened = await usecases.open_by_name(owner, filename, gateway)
    return ContentResponse(opened, media_type_of(filename), version)


@router.head("/tracks/{track_id}/audio", include_in_schema=False)
@router.get("/tracks/{track_id}/audio", response_class=Response, responses=_STREAM)
async def stream_by_track(
    gateway: Gateway, owner: Owner, track_id: TrackIDPath, version: Version = None
) -> Response:
    """Stream a track's file, with ranges."""
    audio_path, opened = await usecases.open_by_track(owner, track_id, gateway)
    return ContentResponse(opened, media_type_of(audio_path), version)
