"""/api/history."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from dj_contracts.tracks import TrackID
from dj_servicekit.http import error_answers
from gateway_api.dependencies import Gateway, Limit, Offset, Owner, RowID
from gateway_api.features.history import usecases
from gateway_api.features.history.models import (
    NewPlay,
    NewSession,
    Play,
    Plays,
    Session,
    SessionPatch,
    UnplayedTracks,
)
from gateway_api.features.tracks.queries import FilteredQuery
from gateway_api.preconditions import IfMatch, etag_of
from gateway_api.query_models import query_parameters, query_reader

router = APIRouter(prefix="/api/history", tags=["history"])


class UnplayedQuery(FilteredQuery):
    days: int = Field(default=90, ge=0, le=36_500, description="Not played for so many days.")
    limit: int = Field(default=50, ge=1, le=500)
    offset: int = Field(default=0, ge=0, le=10_000_000)


@router.post("", status_code=201, responses=error_answers(404, 422))
async def note_play(gateway: Gateway, owner: Owner, play: NewPlay) -> Play:
    """Note that a track was played. Told again with the same moment, it is the same play."""
    return await usecases.note_play(gateway.db, owner, play)


@router.get("", responses=error_answers(404, 422))
async def list_plays(
    gateway: Gateway,
    owner: Owner,
    session_id: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    track_id: TrackID | None = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Plays:
    """What was played: the latest first, or one session in its order, or one track."""
    return await usecases.list_plays(
        gateway.db, owner, session_id=session_id, track_id=track_id, limit=limit, offset=offset
    )


@router.get("/unplayed", responses=error_answers(422), openapi_extra=query_parameters(UnplayedQuery))
async def list_unplayed(
    gateway: Gateway, owner: Owner, query: Annotated[UnplayedQuery, Depends(query_reader(UnplayedQuery))]
) -> UnplayedTracks:
    """What was not played for so many days, with the filters of the listing."""
    return await usecases.list_unplayed(
        gateway.db, owner, query.filters(), days=query.days, limit=query.limit, offset=query.offset
    )


@router.delete("/{play_id}", status_code=204, responses=error_answers(404, 422))
async def delete_play(gateway: Gateway, owner: Owner, play_id: RowID) -> None:
    await usecases.delete_play(gateway.db, owner, play_id)


@router.post("/sessions", status_code=201, responses=error_answers(404, 422))
async def create_session(gateway: Gateway, owner: Owner, session: NewSession) -> Session:
    return await usecases.create_session(gateway.db, owner, session)


@router.get("/sessions", responses=error_answers(422))
async def list_sessions(
    gateway: Gateway, owner: Owner, limit: Limit = 100, offset: Offset = 0
) -> list[Session]:
    return await usecases.list_sessions(gateway.db, owner, limit=limit, offset=offset)


@router.get("/sessions/{session_id}", responses=error_answers(404, 422))
async def get_session(gateway: Gateway, owner: Owner, session_id: RowID, response: Response) -> Session:
    session = await usecases.get_session(gateway.db, owner, session_id)
    response.headers["ETag"] = etag_of(session.updated_at)
    return session


@router.patch("/sessions/{session_id}", responses=error_answers(404, 412, 422))
async def edit_session(
    gateway: Gateway,
    owner: Owner,
    session_id: RowID,
    patch: SessionPatch,
    response: Response,
    if_match: IfMatch = None,
) -> Session:
    session = await usecases.edit_session(gateway.db, owner, session_id, patch, if_match)
    response.headers["ETag"] = etag_of(session.updated_at)
    return session


@router.delete("/sessions/{session_id}", status_code=204, responses=error_answers(404, 412, 422))
async def delete_session(gateway: Gateway, owner: Owner, session_id: RowID, if_match: IfMatch = None) -> None:
    """Delete a session and the plays in it."""
    await usecases.delete_session(gateway.db, owner, session_id, if_match)
