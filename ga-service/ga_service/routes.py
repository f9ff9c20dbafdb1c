"""The paths of the service. They check the request, hand it to the pool and pass the answer on."""

import asyncio
from contextlib import suppress
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from dj_contracts.sets import OrderRequest, OrderResult
from dj_servicekit.errors import Malformed
from dj_servicekit.http import error_answers
from ga_service.order import MOST_TRACKS_TO_ORDER
from ga_service.pool import ComputePool
from ga_service.work import Task

router = APIRouter()
_ERRORS: dict[int | str, dict[str, Any]] = error_answers(400, 413, 422, 500, 503, 504)


@router.post("/generate", response_model=OrderResult, responses=_ERRORS, summary="Order tracks")
@router.post("/optimize", response_model=OrderResult, responses=_ERRORS, summary="Order tracks")
async def order_tracks(request: Request, wanted: OrderRequest) -> Response:
    """The given tracks, untouched, in the best order, with each transition explained."""
    if len(wanted.tracks) > MOST_TRACKS_TO_ORDER:
        raise Malformed(
            f"{len(wanted.tracks)} tracks are too many to order at once; "
            f"send at most {MOST_TRACKS_TO_ORDER}, or use /build to choose a set from a pool."
        )
    return await _computed(request, wanted)


async def _computed(request: Request, wanted: BaseModel) -> Response:
    """The pool's answer; when the client goes away first, its work is stopped."""
    pool: ComputePool = request.app.state.pool
    work = asyncio.create_task(pool.run(Task(wanted)))
    gone = asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work
            return Response(status_code=499)
        return Response(work.result().body, media_type="application/json")
    finally:
        work.cancel()
        gone.cancel()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
