"""/api/tracks/{id}/download and what belongs to it."""

from fastapi import APIRouter, Response
from pydantic import BaseModel

from dj_contracts.downloads import SameSound
from dj_contracts.jobs import Job
from dj_servicekit.http import error_answers
from gateway_api.dependencies import Gateway, Owner, TrackIDPath
from gateway_api.features.downloads import usecases
from gateway_api.features.downloads.models import DownloadPreferences, DownloadRequest
from gateway_api.preconditions import IfMatch, etag_of

router = APIRouter(prefix="/api", tags=["downloads"])


class Duplicates(BaseModel):
    results: list[SameSound]


@router.post("/tracks/{track_id}/download", status_code=202, responses=error_answers(403, 404, 422))
async def request_download(
    gateway: Gateway, owner: Owner, track_id: TrackIDPath, request: DownloadRequest
) -> Job:
    """Get a track's audio: from a link, from a file, or, with ``{}``, from wherever it is found. Only a sure
    find is taken; doubtful ones wait in /api/review. Analysis follows by itself."""
    return await usecases.request_download(owner, track_id, request, gateway)


@router.get("/tracks/{track_id}/duplicates", responses=error_answers(404, 422))
async def list_duplicates(gateway: Gateway, owner: Owner, track_id: TrackIDPath) -> Duplicates:
    """Tracks of the collection that hold the same recording, by sound."""
    return Duplicates(results=await usecases.list_duplicates(gateway.db, owner, track_id))


@router.get("/downloads/preferences", responses=error_answers(422))
async def get_preferences(gateway: Gateway, owner: Owner, response: Response) -> DownloadPreferences:
    """Where this collection's audio comes from, in which order and form, when a request does not say."""
    preferences, changed = await usecases.get_preferences(gateway.db, owner)
    response.headers["ETag"] = etag_of(changed)
    return preferences


@router.put("/downloads/preferences", responses=error_answers(404, 412, 422))
async def set_preferences(
    gateway: Gateway,
    owner: Owner,
    preferences: DownloadPreferences,
    response: Response,
    if_match: IfMatch = None,
) -> DownloadPreferences:
    changed = await usecases.set_preferences(gateway.db, owner, preferences, if_match)
    response.headers["ETag"] = etag_of(changed)
    return preferences
