"""The paths of the service. They check the request, hand it to the pool and pass the answer on."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from dj_contracts.set_building import (
    BuildRequest,
    NextRequest,
    NextResult,
    PathRequest,
    PathResult,
    ScoreRequest,
    ScoreResult,
    SetResult,
)
from dj_contracts.sets import OrderRequest, OrderResult
from dj_servicekit.http import error_answers
from ga_service.answers import computed, streamed

router = APIRouter()

Stream = Annotated[
    bool,
    Query(description="Answer with server-sent events: `progress` with the best so far, then `result`."),
]


def _answers(model: type) -> dict[str, Any]:
    return {
        "response_model": model,
        "responses": error_answers(400, 413, 422, 500, 503, 504)
        | {200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    }


@router.post("/generate", summary="Order tracks", **_answers(OrderResult))
@router.post("/optimize", summary="Order tracks", **_answers(OrderResult))
async def order_tracks(request: Request, wanted: OrderRequest, stream: Stream = False) -> Response:
    """The given tracks, untouched, in the best order, with each transition explained."""
    return await (streamed if stream else computed)(request, wanted)


@router.post("/build", summary="Choose and order a set from a pool", **_answers(SetResult))
async def build_set(request: Request, wanted: BuildRequest, stream: Stream = False) -> Response:
    """A set of a number of tracks or minutes, within locks, caps, curve, corridor and rules."""
    return await (streamed if stream else computed)(request, wanted)


@router.post("/path", summary="Find ways from one track to another", **_answers(PathResult))
async def find_paths(request: Request, wanted: PathRequest, stream: Stream = False) -> Response:
    """Paths through a pool, each hop inside the limits, through waypoints if there are any."""
    return await (streamed if stream else computed)(request, wanted)


@router.post("/next", summary="What to play next", **_answers(NextResult))
async def play_next(request: Request, wanted: NextRequest) -> Response:
    """The best tracks to play after this one."""
    return await computed(request, wanted)


@router.post("/score", summary="Judge an order", **_answers(ScoreResult))
async def judge_order(request: Request, wanted: ScoreRequest) -> Response:
    """The order as it is, scored and explained by the same model."""
    return await computed(request, wanted)
