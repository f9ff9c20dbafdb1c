"""/api/upload, /api/audio and /api/tracks/{id}/audio."""

import mimetypes
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response, UploadFile
from fastapi.responses import FileResponse

from dj_contracts.jobs import Job
from dj_contracts.tracks import Track
from dj_servicekit.http import error_answers
from gateway_api.dependencies import Gateway, Owner, TrackIDPath
from gateway_api.features.audio import usecases

router = APIRouter(prefix="/api", tags=["audio"])

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"audio/*": {}}, "description": "The whole file."},
    206: {"content": {"audio/*": {}}, "description": "The asked range of it."},
    **error_answers(403, 404, 416, 422),
}


@router.post("/upload", status_code=201, responses=error_answers(404, 413, 415, 422, 507))
async def upload(gateway: Gateway, owner: Owner, file: UploadFile, response: Response) -> Track:
    """Add a file: ``curl -F file=@song.mp3 .../api/upload``. Its analysis is queued. The same content
    again answers 200 with the track there is."""
    track, is_new = await usecases.upload_track(owner, file.filename or "", file.file, gateway)
    if not is_new:
        response.status_code = 200
    return track


@router.post("/tracks/{track_id}/audio", status_code=202, responses=error_answers(404, 413, 415, 422, 507))
async def upload_for_track(gateway: Gateway, owner: Owner, track_id: TrackIDPath, file: UploadFile) -> Job:
    """Give a track that is there already its file: it is verified, attached and analysed as a job."""
    return await usecases.upload_for_track(owner, track_id, file.filename or "", file.file, gateway)


@router.head("/audio", include_in_schema=False)
@router.get("/audio", response_class=FileResponse, responses=_STREAM)
async def stream_by_name(
    gateway: Gateway, owner: Owner, filename: Annotated[str, Query(min_length=1, max_length=4096)]
) -> FileResponse:
    """Stream a file by a track's ``local_audio_url``, with ranges."""
    path = await usecases.locate_by_name(gateway.db, owner, filename, gateway.audio)
    return _stream(path)


@router.head("/tracks/{track_id}/audio", include_in_schema=False)
@router.get("/tracks/{track_id}/audio", response_class=FileResponse, responses=_STREAM)
async def stream_by_track(gateway: Gateway, owner: Owner, track_id: TrackIDPath) -> FileResponse:
    """Stream a track's file, with ranges."""
    return _stream(await usecases.locate_by_track(gateway.db, owner, track_id, gateway.audio))


def _stream(path: Path) -> FileResponse:
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return FileResponse(path, media_type=media_type, headers={"X-Content-Type-Options": "nosniff"})
