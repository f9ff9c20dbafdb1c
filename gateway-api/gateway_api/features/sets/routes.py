"""/api/sets, and the older /api/playlists/genetic."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from dj_servicekit.http import error_answers
from gateway_api.dependencies import Gateway, Owner
from gateway_api.features.sets import usecases
from gateway_api.features.sets.models import (
    BuiltSet,
    GeneticRequest,
    GeneticResult,
    InvalidTracks,
    SetRequest,
)

router = APIRouter(prefix="/api", tags=["sets"])

_UPSTREAM = error_answers(502, 503, 504)
_UNUSABLE: dict[int | str, dict[str, Any]] = {400: {"model": InvalidTracks}}


@router.post("/sets", responses={**error_answers(404, 422), **_UPSTREAM})
async def build_set(gateway: Gateway, owner: Owner, request: Request, wanted: SetRequest) -> BuiltSet:
    """Put tracks of the collection in the order that mixes best, each transition explained."""
    return await usecases.build_set(
        owner, wanted, db=gateway.db, ga=gateway.ga, request_id=request.state.request_id
    )


@router.post(
    "/playlists/genetic",
    response_model=GeneticResult,
    responses={**_UNUSABLE, **error_answers(422), **_UPSTREAM},
)
async def order_playlist(gateway: Gateway, request: Request, wanted: GeneticRequest) -> Any:
    """The older form: track objects in, the same objects reordered out."""
    if invalid := usecases.find_unusable(wanted.playlist):
        detail = f"{len(invalid)} of {len(wanted.playlist)} tracks cannot be used. Give each a track_id."
        body = InvalidTracks(
            error=detail,
            detail=detail,
            request_id=request.state.request_id,
            invalid=invalid,
            invalid_count=len(invalid),
        )
        return JSONResponse(body.model_dump(mode="json"), status_code=400)
    return await usecases.order_playlist(
        wanted.playlist,
        mode=wanted.mode,
        seed=wanted.seed,
        ga=gateway.ga,
        request_id=request.state.request_id,
    )
