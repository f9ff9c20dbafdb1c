"""The paths of the service. They check the request, hand it to the pool and pass the answer on."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

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


class _UnreadRequest(Request):
    async def json(self) -> bytes:
        return await self.body()


class _UnreadRoute(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await handler(_UnreadRequest(request.scope, request.receive))

        return handle


class Unread:
    """A body of this model that is passed on as it came: reading it takes longer than a loop may."""

    def __init__(self, model: type[BaseModel]) -> None:
        self.model = model

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.bytes_schema()

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(self.model.__pydantic_core_schema__)


router = APIRouter(route_class=_UnreadRoute)

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
async def order_tracks(
    request: Request, body: Annotated[bytes, Unread(OrderRequest), Body()], stream: Stream = False
) -> Response:
    """The given tracks, untouched, in the best order, with each transition explained."""
    return await (streamed if stream else computed)(request, OrderRequest, body)


@router.post("/build", summary="Choose and order a set from a pool", **_answers(SetResult))
async def build_set(
    request: Request, body: Annotated[bytes, Unread(BuildRequest), Body()], stream: Stream = False
) -> Response:
    """A set of a number of tracks or minutes, within locks, caps, curve, corridor and rules."""
    return await (streamed if stream else computed)(request, BuildRequest, body)


@router.post("/path", summary="Find ways from one track to another", **_answers(PathResult))
async def find_paths(
    request: Request, body: Annotated[bytes, Unread(PathRequest), Body()], stream: Stream = False
) -> Response:
    """Paths through a pool, each hop inside the limits, through waypoints if there are any."""
    return await (streamed if stream else computed)(request, PathRequest, body)


@router.post("/next", summary="What to play next", **_answers(NextResult))
async def play_next(request: Request, body: Annotated[bytes, Unread(NextRequest), Body()]) -> Response:
    """The best tracks to play after this one."""
    return await computed(request, NextRequest, body)


@router.post("/score", summary="Judge an order", **_answers(ScoreResult))
async def judge_order(request: Request, body: Annotated[bytes, Unread(ScoreRequest), Body()]) -> Response:
    """The order as it is, scored and explained by the same model."""
    return await computed(request, ScoreRequest, body)
