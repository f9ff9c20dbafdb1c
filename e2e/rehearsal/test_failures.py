"""What breaks while people work: each time nothing that was acknowledged is lost, and it mends itself."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from e2e.rehearsal.engine import Stack
from standalone.testing import eventually

Job = dict[str, Any]


@pytest.fixture(autouse=True)
def left_well(stack: Stack) -> Iterator[None]:
    """Each test begins with a stack that is up, and so does the next one."""
    yield
    stack.up()


def job_of(stack: Stack, track_id: str) -> Job:
    jobs: list[Job] = stack.gateway.get("/api/jobs", limit=200)["jobs"]
    return next(job for job in jobs if job["track_id"] == track_id)


def is_completed(stack: Stack, track_id: str) -> bool:
    return bool(job_of(stack, track_id)["state"] == "completed")


def is_done(stack: Stack, job: Job) -> bool:
    return bool(stack.gateway.get(f"/api/jobs/{job['id']}")["state"] == "completed")


def is_ready(stack: Stack) -> bool:
    answer = httpx.get(f"{stack.url}/ready", timeout=10, trust_env=False)
    # A silent stand-in takes the place of the search engine, without which everything goes on.
    checks = {name: up for name, up in answer.json()["checks"].items() if name != "meilisearch"}
    return answer.is_success and all(checks.values())


def test_postgres_restarted_under_load_loses_nothing_that_was_acknowledged(stack: Stack) -> None:
    acknowledged: list[str] = []
    refusals: set[tuple[int, str]] = set()
    stop = threading.Event()

    def write(number: int) -> None:
        with httpx.Client(base_url=stack.url, timeout=60, trust_env=False) as http:
            count = 0
            while not stop.is_set():
                count += 1
                answer = http.post("/api/tracks", json={"title": f"load {number}-{count}"})
                if answer.status_code == 201:
                    acknowledged.append(answer.json()["track_id"])
                else:
                    refusals.add((answer.status_code, answer.json()["code"]))

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, number) for number in range(4)]
        assert eventually(lambda: len(acknowledged) > 40)
        stack.compose("restart", "postgres")
        before = len(acknowledged)
        assert eventually(lambda: len(acknowledged) > before + 40, seconds=60)
        stop.set()
        for writer in writers:
            writer.result(timeout=60)
    for track_id in acknowledged:
        assert stack.gateway.get(f"/api/tracks/{track_id}")["track_id"] == track_id
    # 429: four writers without a pause are more than one address may send.
    assert {status for status, _ in refusals} <= {429, 503}, refusals
    assert stack.container("gateway-api")["RestartCount"] == 0


def test_with_redis_killed_jobs_are_taken_and_done_once_it_is_back(stack: Stack, short_record: Path) -> None:
    track = stack.gateway.upload(short_record)
    assert eventually(lambda: is_completed(stack, track["track_id"]), seconds=60)
    stack.compose("kill", "redis")
    job = stack.gateway.post(f"/api/tracks/{track['track_id']}/analyze", {})
    assert job["state"] == "waiting"
    assert stack.gateway.get("/api/tracks/search", q="anything")["hits"] == []
    stack.compose("start", "redis")
    assert eventually(lambda: is_done(stack, job), seconds=90)
    assert eventually(lambda: is_ready(stack), seconds=30)


def test_without_a_search_engine_search_goes_on(stack: Stack) -> None:
    stack.compose("stop", "--timeout", "1", "meilisearch")
    stack.gateway.post("/api/tracks", {"title": "Velvet Underpass", "artist": "Nora Lindqvist"})

    def finds() -> bool:
        hits = stack.gateway.get("/api/tracks/search", q="Velvte Undrpass")["hits"]
        return bool(hits) and hits[0]["title"] == "Velvet Underpass"

    assert eventually(finds, seconds=20)


def test_a_worker_killed_in_mid_job_loses_no_job(stack: Stack, long_record: Path) -> None:
    track = stack.gateway.upload(long_record)
    assert eventually(lambda: job_of(stack, track["track_id"])["state"] == "active", seconds=60)
    stack.compose("kill", "download-worker")
    assert not is_completed(stack, track["track_id"])
    stack.compose("start", "download-worker")
    assert eventually(lambda: is_completed(stack, track["track_id"]), seconds=180)
    assert job_of(stack, track["track_id"])["attemptsMade"] == 2
    assert stack.gateway.get(f"/api/tracks/{track['track_id']}")["bpm"]


def test_an_analysis_service_killed_in_mid_job_costs_a_wait(stack: Stack, long_record: Path) -> None:
    track = stack.gateway.upload(long_record)
    job = stack.gateway.post(f"/api/tracks/{track['track_id']}/analyze", {})
    assert eventually(lambda: stack.gateway.get(f"/api/jobs/{job['id']}")["state"] == "active", seconds=60)
    stack.compose("kill", "essentia-api")
    stack.compose("start", "essentia-api")
    assert eventually(lambda: is_done(stack, job), seconds=180)


def test_workers_can_be_three(stack: Stack, short_record: Path, long_record: Path) -> None:
    stack.up("--scale", "download-worker=3", "--no-recreate")
    assert len(stack.containers("download-worker")) == 3
    assert stack.is_well("download-worker")
    tracks = [stack.gateway.upload(path) for path in (short_record, long_record)]
    jobs = [stack.gateway.post(f"/api/tracks/{track['track_id']}/analyze", {}) for track in tracks]
    assert eventually(lambda: all(is_done(stack, job) for job in jobs), seconds=180)
