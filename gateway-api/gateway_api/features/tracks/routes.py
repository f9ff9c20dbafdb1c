"""/api/tracks."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from dj_contracts.analysis import AnalysisResult
from dj_contracts.tracks import NewTrack, Track, TrackFields
from dj_servicekit.http import error_answers
from gateway_api.dependencies import Gateway, Owner, TrackIDPath
from gateway_api.features.tracks import usecases
from gateway_api.features.tracks.filters import TrackFilter
from gateway_api.features.tracks.models import BulkEdit, BulkEdited, TrackPage
from gateway_api.preconditions import IfMatch, etag_of
from gateway_api.query_models import query_parameters, query_reader

router = APIRouter(prefix="/api/tracks", tags=["tracks"])


class ListQuery(TrackFilter):
    sort: Literal["added", "title", "artist", "bpm"] = "added"
    after: str | None = None
    limit: int = Field(default=50, ge=1, le=500)
    username: str | None = None


@router.get(
    "", response_model=TrackPage, responses=error_answers(422), openapi_extra=query_parameters(ListQuery)
)
async def list_tracks(
    gateway: Gateway, owner: Owner, query: Annotated[ListQuery, Depends(query_reader(ListQuery))]
) -> Response:
    """A page of the collection. Pass ``next`` of one page as ``after`` to get the one that follows."""
    page = await usecases.list_tracks(
        gateway.db, owner, filters=query, sort=query.sort, after=query.after, limit=query.limit
    )
    return Response(page, media_type="application/json")


@router.post("", status_code=201, responses=error_answers(404, 409, 422))
async def create_track(gateway: Gateway, owner: Owner, track: NewTrack) -> Track:
    """Add a track by hand. What is set here wins over what is measured later."""
    return await usecases.create_track(gateway.db, owner, track)


@router.patch("", responses=error_answers(404, 412, 422))
async def edit_tracks(gateway: Gateway, owner: Owner, edit: BulkEdit) -> BulkEdited:
    """The same edit of up to 500 tracks: of all of them, or of none when one is not there."""
    return await usecases.edit_tracks(gateway.db, owner, edit)


@router.get("/{track_id}", response_model=Track, responses=error_answers(404, 422))
async def get_track(gateway: Gateway, owner: Owner, track_id: TrackIDPath) -> Response:
    track = await usecases.get_track(gateway.db, owner, track_id)
    return Response(track.json, media_type="application/json", headers={"ETag": etag_of(track.updated_at)})


@router.patch("/{track_id}", responses=error_answers(404, 412, 422))
async def edit_track(
    gateway: Gateway,
    owner: Owner,
    track_id: TrackIDPath,
    patch: TrackFields,
    response: Response,
    if_match: IfMatch = None,
) -> Track:
    """Change fields. A measured field (bpm, key, energy, ...) set here survives every analysis;
    set to null, it goes back to what was measured."""
    track = await usecases.edit_track(gateway.db, owner, track_id, patch, if_match)
    response.headers["ETag"] = etag_of(track.updated_at)
    return track


@router.delete("/{track_id}", status_code=204, responses=error_answers(404, 412, 422))
async def delete_track(
    gateway: Gateway, owner: Owner, track_id: TrackIDPath, if_match: IfMatch = None
) -> None:
    """Put a track away. Its row and its file stay; a scan does not bring it back."""
    await usecases.delete_track(gateway.db, owner, track_id, if_match)


@router.get("/{track_id}/analysis", responses=error_answers(404, 422))
async def get_analysis(gateway: Gateway, owner: Owner, track_id: TrackIDPath) -> AnalysisResult:
    """All that was measured: beats, tempo and key candidates, and what else the engine gives."""
    return await usecases.get_analysis(gateway.db, owner, track_id)
