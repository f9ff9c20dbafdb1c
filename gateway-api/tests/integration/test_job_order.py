"""What runs when: the urgent before batches, limits by host over all workers, a whole collection again."""

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from redis import Redis
from rq import Queue
from rq.executions import Execution
from rq.job import Job

from dj_contracts.analysis import AnalysisResult
from dj_contracts.jobs import BATCH_QUEUE_NAME, QUEUE_NAME
from gateway_api.db import transaction
from gateway_api.features.tracks.usecases import apply_analysis

ANALYSIS = {"engine_version": "test-1", "duration_seconds": 200.5, "tempo": {"bpm": 126.0}}


def queued(redis_url: str, name: str) -> list[str]:
    with Redis.from_url(redis_url) as redis:
        return Queue(name, connection=redis, serializer="json").job_ids


async def download(gateway: Any, track_id: str, url: str) -> str:
    await gateway.add_track(track_id=track_id)
    answer = await gateway.http.post(f"/api/tracks/{track_id}/download", json={"url": url})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def claim(gateway: Any, job_id: str) -> int:
    return int((await gateway.worker.post(f"/internal/jobs/{job_id}/claim")).status_code)


async def fail(gateway: Any, job_id: str) -> None:
    body = {"attempt": 1, "code": "source_gone", "detail": "Gone.", "transient": False}
    assert (await gateway.worker.post(f"/internal/jobs/{job_id}/fail", json=body)).status_code == 204


async def add_files(gateway: Any, count: int) -> None:
    for number in range(count):
        await gateway.add_track(track_id=f"t{number}", title=f"Track {number}")
    async with gateway.services.db.connection() as conn:
        await conn.execute("update tracks set audio_path = 'dj/' || track_id || '.mp3'")


async def test_only_so_many_from_one_host_at_once_whoever_asks(
    make_settings: Callable[..., Any], running_gateway: Callable[..., Any], redis_url: str
) -> None:
    async with running_gateway(make_settings(host_limits="*=2")) as gateway:
        jobs = [await download(gateway, f"t{n}", f"https://example.org/{n}.mp3") for n in range(5)]
        other = await download(gateway, "o", "https://example.net/o.mp3")
        assert set(queued(redis_url, QUEUE_NAME)) == {f"{job}-1" for job in (jobs[0], jobs[1], other)}
        answers = await asyncio.gather(*(claim(gateway, job) for job in [*jobs, other]))
        assert sorted(answers) == [200, 200, 200, 409, 409, 409]
        assert answers[-1] == 200
        begun = jobs[answers.index(200)]
        await fail(gateway, begun)
        waiting = [job for job, answer in zip(jobs, answers, strict=False) if answer == 409]
        assert sorted([await claim(gateway, job) for job in waiting]) == [200, 409, 409]


async def test_downloads_from_one_host_begin_apart(
    make_settings: Callable[..., Any], running_gateway: Callable[..., Any]
) -> None:
    async with running_gateway(make_settings(host_limits="*=4/3600")) as gateway:
        first = await download(gateway, "t1", "https://example.org/1.mp3")
        second = await download(gateway, "t2", "https://example.org/2.mp3")
        assert [await claim(gateway, first), await claim(gateway, second)] == [200, 409]
        shown = await gateway.get(f"/api/jobs/{second}")
        assert (shown["state"], shown["stage"]) == ("waiting", "waiting for its turn at example.org")
        await fail(gateway, first)
        assert await claim(gateway, second) == 409


async def test_a_free_place_is_given_to_the_next_at_once(
    make_settings: Callable[..., Any], running_gateway: Callable[..., Any], redis_url: str
) -> None:
    settings = make_settings(host_limits="*=1", sweep_seconds=600)
    async with running_gateway(settings) as gateway:
        first = await download(gateway, "t1", "https://example.org/1.mp3")
        second = await download(gateway, "t2", "https://example.org/2.mp3")
        assert queued(redis_url, QUEUE_NAME) == [f"{first}-1"]
        await claim(gateway, first)
        await fail(gateway, first)
        assert f"{second}-1" in queued(redis_url, QUEUE_NAME)


async def test_a_collection_is_measured_again_behind_what_a_person_waits_for(
    gateway: Any, redis_url: str, eventually: Callable[..., Any]
) -> None:
    await add_files(gateway, 3)
    batch = (await gateway.http.post("/api/jobs/reanalyze", json={})).json()
    again = (await gateway.http.post("/api/jobs/reanalyze", json={})).json()
    assert (batch["name"], again["id"]) == ("reanalyze", batch["id"])

    async def members() -> Any:
        jobs = (await gateway.get("/api/jobs"))["jobs"]
        found = {job["track_id"]: job["id"] for job in jobs if job["name"] == "analyze"}
        return found if len(queued(redis_url, BATCH_QUEUE_NAME)) == 3 else None

    jobs = await eventually(members)
    assert queued(redis_url, QUEUE_NAME) == []
    asked = await gateway.http.post("/api/tracks/t1/analyze")
    assert asked.json()["id"] == jobs["t1"]
    assert queued(redis_url, QUEUE_NAME) == [f"{jobs['t1']}-1"]
    for job_id in jobs.values():
        assert await claim(gateway, job_id) == 200
        done = {"attempt": 1, "outcome": {"kind": "analyze", "analysis": ANALYSIS}}
        answer = await gateway.worker.post(f"/internal/jobs/{job_id}/complete", json=done)
        assert answer.status_code == 204, answer.text

    async def over() -> Any:
        shown = await gateway.get(f"/api/jobs/{batch['id']}")
        return shown if shown["state"] == "completed" else None

    assert (await eventually(over))["returnvalue"] == {"tracks": 3, "failed": 0}
    missing = (await gateway.http.post("/api/jobs/reanalyze", json={"only_missing": True})).json()
    assert missing["data"]["total"] == 0


async def test_what_another_version_measured_is_measured_again(
    gateway: Any, eventually: Callable[..., Any]
) -> None:
    await add_files(gateway, 4)
    for track, versions in {"t0": ["dj-1"], "t1": ["dj-1", "dj-2"], "t2": ["dj-2", "dj-1", "dj-2"]}.items():
        for version in versions:
            async with transaction(gateway.services.db) as conn:
                result = AnalysisResult.model_validate(ANALYSIS | {"engine_version": version})
                await apply_analysis(conn, "dj", track, result)
    batch = (await gateway.http.post("/api/jobs/reanalyze", json={"outdated": True})).json()
    assert batch["data"]["total"] == 2

    async def taken() -> Any:
        jobs = (await gateway.get("/api/jobs"))["jobs"]
        return {job["track_id"] for job in jobs if job["name"] == "analyze"}

    # One was measured by an earlier version alone, one by none.
    assert await eventually(taken) == {"t0", "t3"}


async def test_a_cancelled_batch_takes_its_jobs_along_and_goes_on_when_it_is_tried_again(
    gateway: Any, eventually: Callable[..., Any]
) -> None:
    await add_files(gateway, 3)
    batch = (await gateway.http.post("/api/jobs/reanalyze", json={})).json()

    async def counted(state: str, count: int) -> bool:
        jobs = (await gateway.get("/api/jobs", state=state))["jobs"]
        return len([job for job in jobs if job["name"] == "analyze"]) == count

    await eventually(lambda: counted("waiting", 3))
    assert (await gateway.http.post(f"/api/jobs/{batch['id']}/cancel")).json()["state"] == "cancelled"
    assert await counted("cancelled", 3)
    assert (await gateway.http.post(f"/api/jobs/{batch['id']}/retry")).json()["state"] == "waiting"
    assert await counted("waiting", 3)


async def test_a_gateway_that_comes_back_gives_the_workers_time_to_be_heard(
    make_settings: Callable[..., Any],
    running_gateway: Callable[..., Any],
    eventually: Callable[..., Any],
    database_url: str,
    redis_url: str,
) -> None:
    async with running_gateway(make_settings()) as gateway:
        await add_files(gateway, 2)
        job, other = [
            (await gateway.http.post(f"/api/tracks/{track}/analyze")).json()["id"] for track in ("t0", "t1")
        ]
        assert await claim(gateway, job) == 200
    with psycopg.connect(database_url) as conn, Redis.from_url(redis_url) as redis:
        conn.execute("update jobs set heartbeat_at = now() - interval '1 hour'")
        redis.flushdb()

    async def swept() -> bool:
        return queued(redis_url, QUEUE_NAME) == [f"{other}-1"]

    async with running_gateway(make_settings()) as gateway:
        await eventually(swept)
        answer = await gateway.worker.post(f"/internal/jobs/{job}/progress", json={"attempt": 1})
        assert answer.json() == {"cancelled": False}


async def test_files_are_asked_for_their_length_and_their_covers(gateway: Any) -> None:
    for place in ("A1", "A2"):
        await gateway.add_track(track_id=f"9-{place}", release_id="9", position=place)
    async with gateway.services.db.connection() as conn:
        await conn.execute("update tracks set audio_path = 'dj/' || track_id || '.mp3'")
    asked = (await gateway.http.post("/api/tracks/9-A1/fix-duration")).json()
    assert await claim(gateway, asked["id"]) == 200
    done = {"attempt": 1, "outcome": {"kind": "fix-duration", "duration_seconds": 61.5}}
    path = f"/internal/jobs/{asked['id']}/complete"
    assert (await gateway.worker.post(path, json=done)).status_code == 204
    assert (await gateway.get("/api/tracks/9-A1"))["duration_seconds"] == 61.5
    asked = (await gateway.http.post("/api/albums/9/extract-cover-art")).json()
    claimed = (await gateway.worker.post(f"/internal/jobs/{asked['id']}/claim")).json()
    assert claimed["payload"]["audio_paths"] == ["dj/9-A1.mp3", "dj/9-A2.mp3"]
    outcome = {"kind": "extract-cover-art-album", "cover_path": "dj/9-A1/cover-1.jpg"}
    path = f"/internal/jobs/{asked['id']}/complete"
    outside = {"attempt": 1, "outcome": outcome | {"cover_path": "/etc/passwd"}}
    assert (await gateway.worker.post(path, json=outside)).status_code == 422
    assert (await gateway.worker.post(path, json={"attempt": 1, "outcome": outcome})).status_code == 204
    async with gateway.services.db.connection() as conn:
        cursor = await conn.execute("select distinct cover_path from tracks")
        assert await cursor.fetchall() == [("dj/9-A1/cover-1.jpg",)]


@pytest.mark.parametrize("path", ["tracks/9-A1/fix-duration", "tracks/9-A1/extract-cover-art"])
async def test_a_track_without_a_file_has_neither(gateway: Any, path: str) -> None:
    await gateway.add_track(track_id="9-A1")
    assert (await gateway.http.post(f"/api/{path}")).status_code == 409
    assert (await gateway.http.post("/api/albums/none/extract-cover-art")).status_code == 404


async def test_a_worker_killed_before_it_could_claim_holds_its_job_back_no_longer_than_a_lease(
    make_settings: Callable[..., Any],
    running_gateway: Callable[..., Any],
    eventually: Callable[..., Any],
    redis_url: str,
) -> None:
    async with running_gateway(make_settings(job_lease_seconds=0.5)) as gateway:
        await add_files(gateway, 2)
        jobs = [(await gateway.http.post(f"/api/tracks/t{n}/analyze")).json()["id"] for n in (0, 1)]
        with Redis.from_url(redis_url) as redis:
            queue = Queue(QUEUE_NAME, connection=redis, serializer="json")
            # The one was only taken out of the queue, the other was prepared too.
            queue.dequeue_any([queue], timeout=None, connection=redis, serializer="json")
            taken = Job.fetch(queued(redis_url, QUEUE_NAME)[0], connection=redis, serializer="json")
            queue.dequeue_any([queue], timeout=None, connection=redis, serializer="json")
            with redis.pipeline() as pipe:
                taken.prepare_for_execution("gone", pipe)
                Execution.create(taken, 60, pipe)
                pipe.execute()
            redis.lrem(queue.intermediate_queue_key, 0, taken.id)

        async def queued_again() -> bool:
            found = queued(redis_url, QUEUE_NAME)
            return all(any(each.startswith(f"{job}-1") for each in found) for job in jobs)

        await eventually(queued_again)
        assert [await claim(gateway, job) for job in jobs] == [200, 200]
