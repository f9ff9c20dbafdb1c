"""From a checked request to an answer on the wire, whole or as server-sent events.

Either way the work stops when the client goes away: a set nobody waits for is not worth a core.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event
from pydantic import BaseModel

from dj_contracts.errors import ErrorBody
from dj_servicekit.errors import ServiceError
from ga_service.pool import ComputePool
from ga_service.work import Progress, Task

_CLIENT_CLOSED_REQUEST = 499


async def computed(request: Request, kind: type[BaseModel], body: bytes) -> Response:
    pool: ComputePool = request.app.state.pool
    work = asyncio.create_task(pool.run(Task(kind, body)))
    gone = asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work
            return Response(status_code=_CLIENT_CLOSED_REQUEST)
        return Response(work.result().body, media_type="application/json")
    finally:
        work.cancel()
        gone.cancel()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def streamed(request: Request, kind: type[BaseModel], body: bytes) -> Response:
    pool: ComputePool = request.app.state.pool
    pool.refuse_when_full()
    return StreamingResponse(
        _events(pool, Task(kind, body, wants_progress=True), request.state.request_id),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )


async def _events(pool: ComputePool, task: Task, request_id: str) -> AsyncIterator[bytes]:
    try:
        async with aclosing(pool.stream(task)) as messages:
            async for message in messages:
                if isinstance(message, Progress):
                    yield format_sse_event(event="progress", data_str=json.dumps(message.data))
                else:
                    yield format_sse_event(event="result", data_str=message.body.decode())
    except ServiceError as exc:
        body = ErrorBody(code=exc.code, detail=exc.detail, request_id=request_id)
        yield format_sse_event(event="error", data_str=body.model_dump_json())
