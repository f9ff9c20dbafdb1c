"""Live progress over a real connection: what a client sees, and how soon."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
from redis import Redis

from gateway_api.main import create_app


async def read_events(http: httpx.AsyncClient, connected: asyncio.Event, count: int) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    async with http.stream("GET", "/api/jobs/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        async for line in stream.aiter_lines():
            connected.set()
            if line.startswith("data:"):
                events.append(json.loads(line.removeprefix("data:")))
            if len(events) == count:
                return events
    return events


async def test_a_client_sees_a_change_within_a_second_and_only_its_own(
    make_settings: Callable[..., Any], serve_app: Callable[..., Any]
) -> None:
    settings = make_settings()
    with serve_app(create_app(settings)) as url:
        async with httpx.AsyncClient(base_url=url, timeout=10) as http:
            await http.post("/api/friends", json={"username": "ana"})
            connected = asyncio.Event()
            reader = asyncio.create_task(read_events(http, connected, 2))
            await asyncio.wait_for(connected.wait(), 5)
            hers = {"file": ("hers.mp3", b"\0hers")}
            await http.post("/api/upload", files=hers, params={"username": "ana"})
            started = time.monotonic()
            track = (await http.post("/api/upload", files={"file": ("mine.mp3", b"\0mine")})).json()
            job = (await http.get("/api/jobs")).json()["jobs"][0]
            await http.post(f"/api/jobs/{job['id']}/cancel")
            waiting, cancelled = await asyncio.wait_for(reader, 5)
            assert time.monotonic() - started < 1
    assert (waiting["job_id"], waiting["track_id"]) == (job["id"], track["track_id"])
    assert [waiting["state"], cancelled["state"]] == ["waiting", "cancelled"]


async def test_the_line_comes_back_after_redis_dropped_it(
    make_settings: Callable[..., Any], serve_app: Callable[..., Any], redis_url: str
) -> None:
    with serve_app(create_app(make_settings())) as url:
        async with httpx.AsyncClient(base_url=url, timeout=20) as http:
            connected = asyncio.Event()
            reader = asyncio.create_task(read_events(http, connected, 1))
            await asyncio.wait_for(connected.wait(), 5)
            with Redis.from_url(redis_url) as redis:
                redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
                deadline = time.monotonic() + 10
                while not redis.pubsub_numsub("dj:events")[0][1]:
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.05)
            await http.post("/api/upload", files={"file": ("mine.mp3", b"\0mine")})
            assert (await asyncio.wait_for(reader, 10))[0]["state"] == "waiting"
