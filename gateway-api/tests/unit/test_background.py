import asyncio
from typing import Any

from gateway_api import background
from gateway_api.background import beside_the_requests


async def test_work_that_loses_its_cancellation_is_ended_all_the_same(monkeypatch: Any) -> None:
    monkeypatch.setattr(background, "_CANCEL_AGAIN_SECONDS", 0.01)
    lost = 0

    async def forgetful() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if lost == 2:
                    raise
                lost += 1

    async with asyncio.timeout(5), beside_the_requests(forgetful=forgetful):
        await asyncio.sleep(0)
    assert lost == 2


async def test_work_that_fails_is_begun_again(monkeypatch: Any) -> None:
    monkeypatch.setattr(background, "_AFTER_A_FAILURE_SECONDS", 0.0)
    begun = 0
    well = asyncio.Event()

    async def fails_once() -> None:
        nonlocal begun
        begun += 1
        if begun == 1:
            raise ZeroDivisionError
        well.set()

    async with asyncio.timeout(5), beside_the_requests(fails_once=fails_once):
        await well.wait()
    assert begun == 2


async def test_work_that_is_over_is_left_alone() -> None:
    begun = 0

    async def once() -> None:
        nonlocal begun
        begun += 1

    async with beside_the_requests(once=once):
        await asyncio.sleep(0.05)
    assert begun == 1
