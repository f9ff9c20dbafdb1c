"""The service over HTTP with its real processes: shapes, load, crashes, clients that leave."""

import asyncio
import json
import os
import random
import signal
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from dj_contracts.keys import ALL_KEYS
from dj_contracts.sets import OrderRequest, OrderResult
from dj_servicekit.errors import UpstreamTimeout
from ga_service.main import create_app
from ga_service.pool import ComputePool
from ga_service.settings import Settings
from ga_service.work import Task


def crate(n: int) -> list[dict[str, Any]]:
    rng = random.Random(1)
    return [{"track_id": i, "bpm": rng.uniform(110, 130), "key": rng.choice(ALL_KEYS).name} for i in range(n)]


@pytest.fixture
async def app() -> AsyncIterator[FastAPI]:
    app = create_app(Settings(ga_workers=1, ga_waiting=1))
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://ga", timeout=60) as client:
        yield client


@pytest.mark.parametrize("path", ["/generate", "/optimize"])
@pytest.mark.parametrize("name", ["tracks", "playlist"])
async def test_both_old_shapes_answer_the_same_track_objects(
    http: httpx.AsyncClient, path: str, name: str
) -> None:
    tracks = [*crate(5), {"track_id": "\ud800", "nested": {"deep": [1, None]}, "bpm": "fast"}]
    answer = await http.post(path, content=json.dumps({name: tracks, "mode": "greedy"}))
    assert answer.status_code == 200
    result = OrderResult.model_validate(json.loads(answer.content))
    assert sorted(map(repr, result.result)) == sorted(map(repr, tracks))
    assert result.mode == "greedy"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/generate", "{", 422),
        ("/generate", "{}", 422),
        ("/generate", '{"tracks": [1]}', 422),
        ("/generate", "[" * 5000, 422),
        ("/generate?stream=true", "{", 200),
        ("/generate", '{"tracks": [{"x": NaN}]}', 422),
        ("/generate", '{"tracks": [], "mode": "best"}', 422),
        ("/generate", '{"tracks": [' + "{}," * 2000 + "{}]}", 422),
        ("/build", '{"pool": []}', 422),
        ("/build", '{"pool": [], "count": 1}', 200),
        ("/path", '{"pool": [], "start": 1, "end": 2}', 422),
        ("/next", '{"current": {}, "candidates": []}', 200),
        ("/score", '{"tracks": [{}]}', 200),
    ],
)
async def test_corners_get_a_clear_answer(http: httpx.AsyncClient, path: str, body: str, status: int) -> None:
    answer = await http.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status, answer.text
    if status == 422:
        assert answer.json()["code"] == "malformed"
    if "stream" in path:
        assert answer.text.startswith("event: error"), answer.text


async def test_a_misspelt_field_is_told_the_nearest(http: httpx.AsyncClient) -> None:
    answer = await http.post("/build", json={"pool": [], "count": 1, "weights": {"tempi": 2}})
    assert answer.status_code == 422
    assert answer.json()["detail"] == "weights.tempi: Nothing here has this name. Did you mean tempo?"


async def test_a_body_over_the_limit_is_refused() -> None:
    app = create_app(Settings(ga_workers=1, ga_max_body_bytes=1000))
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport) as http:
        answer = await http.post("http://ga/generate", json={"tracks": crate(100)})
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"


async def test_progress_is_streamed_and_the_result_comes_last(http: httpx.AsyncClient) -> None:
    answer = await http.post("/generate?stream=true", json={"tracks": crate(120)})
    events = [block.split("\n") for block in answer.text.strip().split("\n\n")]
    names = [lines[0].removeprefix("event: ") for lines in events]
    assert names[0] == "progress"
    assert names[-1] == "result"
    first = json.loads(events[0][1].removeprefix("data: "))
    last = json.loads(events[-1][1].removeprefix("data: "))
    assert first["score"] <= last["score"]


async def test_an_error_in_a_stream_is_an_event(http: httpx.AsyncClient) -> None:
    answer = await http.post("/build?stream=true", json={"pool": []})
    assert answer.text.startswith("event: error")


async def test_a_full_queue_is_refused_with_a_time_to_come_back(
    app: FastAPI, http: httpx.AsyncClient
) -> None:
    body = {"tracks": crate(150)}
    waiting = [asyncio.create_task(http.post("/generate", json=body)) for _ in range(2)]
    await until(lambda: app.state.pool.is_full)
    refused = await http.post("/generate", json=body)
    assert refused.status_code == 503
    assert refused.json()["code"] == "busy"
    assert int(refused.headers["Retry-After"]) > 0
    assert (await http.get("/ready")).status_code == 503
    assert (await http.get("/health")).status_code == 200
    assert [answer.status_code for answer in await asyncio.gather(*waiting)] == [200, 200]


async def test_a_killed_process_fails_its_own_request_only(app: FastAPI, http: httpx.AsyncClient) -> None:
    doomed = asyncio.create_task(http.post("/generate", json={"tracks": crate(600)}))
    await until(lambda: app.state.pool.busy_pids)
    waiting = asyncio.create_task(http.post("/generate", json={"tracks": crate(5)}))
    os.kill(next(iter(app.state.pool.busy_pids)), signal.SIGKILL)
    assert (await doomed).status_code == 500
    assert (await waiting).status_code == 200


async def test_work_stops_when_nobody_waits_for_it() -> None:
    pool = ComputePool(size=1, waiting=0, timeout_seconds=60)
    await pool.start()
    work = asyncio.create_task(pool.run(order_task(crate(1500))))
    await until(lambda: pool.busy_pids)
    pid = next(iter(pool.busy_pids))
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    await until(lambda: not alive(pid))
    assert not pool.is_full
    await pool.run(order_task(crate(3)))
    await pool.close()


async def test_a_hung_computation_is_given_up() -> None:
    pool = ComputePool(size=1, waiting=0, timeout_seconds=0.2)
    await pool.start()
    with pytest.raises(UpstreamTimeout):
        await pool.run(order_task(crate(1500)))
    await pool.close()


def order_task(tracks: list[dict[str, Any]]) -> Task:
    return Task(OrderRequest, json.dumps({"tracks": tracks}).encode())


async def until(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
