"""The work beside the requests: begun with the application, begun again after what nobody foresaw, and
ended with it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from dj_servicekit.logs import log

_AFTER_A_FAILURE_SECONDS = 5.0
_CANCEL_AGAIN_SECONDS = 0.5


@asynccontextmanager
async def beside_the_requests(**works: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    tasks = {asyncio.create_task(_keep_going(name, work), name=name) for name, work in works.items()}
    try:
        yield
    finally:
        await _end(tasks)


async def _keep_going(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """One defect in one of them must not end it for as long as the gateway runs."""
    while True:
        try:
            return await work()
        except Exception:  # noqa: BLE001 - what nobody foresaw has no type
            log.exception("background_work_failed", work=name, again_in_seconds=_AFTER_A_FAILURE_SECONDS)
        await asyncio.sleep(_AFTER_A_FAILURE_SECONDS)


async def _end(tasks: set[asyncio.Task[None]]) -> None:
    """Cancelled until it is over: before Python 3.12 ``asyncio.wait_for``, which psycopg waits with, loses a
    cancellation that comes in the moment of its answer."""
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=_CANCEL_AGAIN_SECONDS)
