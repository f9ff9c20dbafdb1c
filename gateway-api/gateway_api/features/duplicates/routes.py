"""/api/duplicates."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from dj_contracts.tracks import Text
from dj_servicekit.http import error_answers
from gateway_api.dependencies import Gateway, Offset, Owner, RowID
from gateway_api.features.duplicates import usecases
from gateway_api.features.duplicates.models import DuplicateGroups, Merge, MergeRequest

router = APIRouter(prefix="/api/duplicates", tags=["duplicates"])

_PerPage = Annotated[int, Query(ge=1, le=100)]


@router.get("", responses=error_answers(422))
async def list_duplicates(
    gateway: Gateway,
    owner: Owner,
    by: Annotated[
        Literal["name", "sound"],
        Query(description="By artist, title and duration, or by the fingerprints of the files."),
    ] = "name",
    after: Annotated[Text, Query(max_length=5000)] = "",
    limit: _PerPage = 50,
) -> DuplicateGroups:
    """Tracks that are one recording. The one to keep comes first."""
    if by == "sound":
        return await usecases.list_same_sounds(gateway.db, owner, after=after, limit=limit)
    return await usecases.list_duplicates(gateway.db, owner, after=after, limit=limit)


@router.get("/merges", responses=error_answers(422))
async def list_merges(
    gateway: Gateway, owner: Owner, limit: _PerPage = 50, offset: Offset = 0
) -> list[Merge]:
    """What was merged, the latest first."""
    return await usecases.list_merges(gateway.db, owner, limit=limit, offset=offset)


@router.post("/merges", status_code=201, responses=error_answers(404, 422))
async def merge(gateway: Gateway, owner: Owner, request: MergeRequest) -> Merge:
    """Make tracks one. The kept one takes over what it lacks, the places in playlists and the plays; the
    others go to the trash."""
    return await usecases.merge(gateway, owner, request)


@router.post("/merges/{merge_id}/undo", responses=error_answers(404, 409, 422))
async def undo(gateway: Gateway, owner: Owner, merge_id: RowID) -> Merge:
    """Take a merge back: tracks, playlists and plays are as they were, but for what was edited since."""
    return await usecases.undo(gateway, owner, merge_id)
