"""The life of a job between the API, the worker's reports, the sweep and a queue that may vanish."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from redis import Redis
from rq import Queue

from dj_contracts.jobs import QUEUE_NAME

ANALYSIS = {
    "engine_version": "test-1",
    "duration_seconds": 200.5,
    "tempo": {"bpm": 126.0, "confidence": 0.9},
    "key": {"name": "A minor", "confidence": 0.8},
    "energy": {"level": 7},
    "danceability": 0.6,
    "moods": {"happy": 0.4},
}
NOT_AUDIO = {"code": "not_audio", "detail": "This is a text file.", "transient": False}
AWAY = {"code": "upstream_unavailable", "detail": "Essentia is away.", "transient": True}
BROKEN = {"code": "source_unavailable", "detail": "The source broke off.", "transient": True}


@pytest.fixture
async def job(gateway: Any) -> dict[str, Any]:
    """The waiting analysis of an uploaded file."""
    await gateway.http.post("/api/upload", files={"file": ("a.mp3", b"\0audio")})
    return dict((await gateway.get("/api/jobs"))["jobs"][0])


async def report(gateway: Any, job_id: str, what: str, body: dict[str, Any] | None = None) -> Any:
    return await gateway.worker.post(f"/internal/jobs/{job_id}/{what}", json=body)


async def claim(gateway: Any, job_id: str) -> dict[str, Any]:
    answer = await report(gateway, job_id, "claim")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def done(attempt: int, **changes: Any) -> dict[str, Any]:
    return {"attempt": attempt, "outcome": {"kind": "analyze", "analysis": ANALYSIS | changes}}


def queued_ids(redis_url: str) -> list[str]:
    with Redis.from_url(redis_url) as redis:
        return Queue(QUEUE_NAME, connection=redis, serializer="json").job_ids


async def test_an_analysis_from_queue_to_track(gateway: Any, job: dict[str, Any], redis_url: str) -> None:
    assert queued_ids(redis_url) == [f"{job['id']}-1"]
    claimed = await claim(gateway, job["id"])
    assert (claimed["attempt"], claimed["payload"]["kind"]) == (1, "analyze")
    pulse = await report(gateway, job["id"], "progress", {"attempt": 1, "progress": 40, "stage": "listening"})
    assert pulse.json() == {"cancelled": False}
    shown = await gateway.get(f"/api/jobs/{job['id']}")
    assert (shown["state"], shown["progress"], shown["stage"]) == ("active", 40, "listening")
    assert (await report(gateway, job["id"], "complete", done(1))).status_code == 204
    track = await gateway.get(f"/api/tracks/{job['track_id']}")
    assert (track["bpm"], track["camelot"], track["energy"], track["mood_happy"]) == (126.0, "8A", 7, 0.4)
    assert track["duration"] == "3:20"
    analysis = await gateway.get(f"/api/tracks/{job['track_id']}/analysis")
    assert analysis["tempo"]["confidence"] == 0.9
    assert (await gateway.get(f"/api/jobs/{job['id']}"))["state"] == "completed"


async def test_a_job_carries_the_id_of_its_request_to_the_worker_and_on_to_what_follows(gateway: Any) -> None:
    await gateway.add_track(track_id="1-A1")
    sent = {"X-Request-ID": "asked-for-by-ana"}
    link = {"url": "https://example.org/a.mp3"}
    answer = await gateway.http.post("/api/tracks/1-A1/download", json=link, headers=sent)
    path = f"/internal/jobs/{answer.json()['id']}"
    claim = (await gateway.worker.post(f"{path}/claim")).json()
    assert claim["request_id"] == "asked-for-by-ana"
    done = {
        "kind": "download",
        "audio_path": "dj/1-A1/a.mp3",
        "duration_seconds": 300,
        "source_url": link["url"],
    }
    # The worker speaks under the id that it was given, so the analysis has it too.
    await gateway.worker.post(f"{path}/complete", json={"attempt": 1, "outcome": done}, headers=sent)
    [analysis] = (await gateway.get("/api/jobs", track_id="1-A1", state="waiting"))["jobs"]
    claim = (await gateway.worker.post(f"/internal/jobs/{analysis['id']}/claim")).json()
    assert (claim["payload"]["kind"], claim["request_id"]) == ("analyze", "asked-for-by-ana")


async def test_a_correction_wins_over_every_later_analysis(gateway: Any, job: dict[str, Any]) -> None:
    path = f"/api/tracks/{job['track_id']}"
    await gateway.http.patch(path, json={"bpm": 63, "key": "C"})
    await claim(gateway, job["id"])
    await report(gateway, job["id"], "complete", done(1))
    track = await gateway.get(path)
    assert (track["bpm"], track["key"], track["energy"]) == (63, "C major", 7)
    assert track["corrected"] == ["bpm", "key"]
    back = (await gateway.http.patch(path, json={"bpm": None})).json()
    assert (back["bpm"], back["corrected"]) == (126.0, ["key"])


async def test_a_job_is_claimed_once(gateway: Any, job: dict[str, Any]) -> None:
    await claim(gateway, job["id"])
    assert (await report(gateway, job["id"], "claim")).status_code == 409
    assert (await report(gateway, "nothing", "claim")).status_code == 404


async def test_a_permanent_failure_tells_a_dj_why(gateway: Any, job: dict[str, Any]) -> None:
    await claim(gateway, job["id"])
    await report(gateway, job["id"], "fail", {"attempt": 1, **NOT_AUDIO})
    shown = await gateway.get(f"/api/jobs/{job['id']}")
    assert (shown["state"], shown["error_code"], shown["failedReason"]) == (
        "failed",
        "not_audio",
        "This is a text file.",
    )
    assert (await gateway.get(f"/api/tracks/{job['track_id']}"))["has_audio"]


async def test_a_passing_failure_waits_and_an_endless_one_ends(gateway: Any, job: dict[str, Any]) -> None:
    for attempt in range(1, 6):
        async with gateway.services.db.connection() as conn:
            await conn.execute("update jobs set run_after = now()")
        await claim(gateway, job["id"])
        await report(gateway, job["id"], "fail", {"attempt": attempt, **BROKEN})
        state = (await gateway.get(f"/api/jobs/{job['id']}"))["state"]
        assert state == ("failed" if attempt == 5 else "waiting")
    retried = (await gateway.http.post(f"/api/jobs/{job['id']}/retry")).json()
    assert (retried["state"], retried["failedReason"]) == ("waiting", None)
    assert (await claim(gateway, job["id"]))["attempt"] == 6
    await report(gateway, job["id"], "fail", {"attempt": 6, **BROKEN})
    assert (await gateway.get(f"/api/jobs/{job['id']}"))["state"] == "waiting"


async def test_a_job_whose_service_is_away_waits_as_long_as_it_takes(
    gateway: Any, job: dict[str, Any]
) -> None:
    for attempt in range(1, 9):
        async with gateway.services.db.connection() as conn:
            await conn.execute("update jobs set run_after = now()")
        await claim(gateway, job["id"])
        await report(gateway, job["id"], "fail", {"attempt": attempt, **AWAY})
        assert (await gateway.get(f"/api/jobs/{job['id']}"))["state"] == "waiting"


async def test_a_report_of_an_attempt_that_was_given_up_changes_nothing(
    gateway: Any, job: dict[str, Any], eventually: Callable[..., Any]
) -> None:
    await claim(gateway, job["id"])
    async with gateway.services.db.connection() as conn:
        await conn.execute("update jobs set heartbeat_at = now() - interval '1 hour'")

    async def waiting_again() -> bool:
        return bool((await gateway.get(f"/api/jobs/{job['id']}"))["state"] == "waiting")

    await eventually(waiting_again)
    second = await claim(gateway, job["id"])
    assert second["attempt"] == 2
    for what, body in (
        ("complete", done(1)),
        ("fail", {"attempt": 1, **NOT_AUDIO}),
        ("progress", {"attempt": 1}),
    ):
        assert (await report(gateway, job["id"], what, body)).status_code == 409
    assert (await gateway.get(f"/api/tracks/{job['track_id']}"))["bpm"] is None
    assert (await report(gateway, job["id"], "complete", done(2))).status_code == 204


async def test_a_job_that_kills_its_worker_each_time_ends_as_failed(
    gateway: Any, job: dict[str, Any], eventually: Callable[..., Any]
) -> None:
    async with gateway.services.db.connection() as conn:
        await conn.execute(
            "update jobs set state = 'active', attempts = 5, heartbeat_at = now() - interval '1 hour'"
        )

    async def failed() -> Any:
        shown = await gateway.get(f"/api/jobs/{job['id']}")
        return shown if shown["state"] == "failed" else None

    assert (await eventually(failed))["error_code"] == "attempts_exhausted"


async def test_a_cancelled_job_tells_its_worker(gateway: Any, job: dict[str, Any]) -> None:
    await claim(gateway, job["id"])
    assert (await gateway.http.post(f"/api/jobs/{job['id']}/cancel")).json()["state"] == "cancelled"
    pulse = await report(gateway, job["id"], "progress", {"attempt": 1})
    assert pulse.json() == {"cancelled": True}
    assert (await report(gateway, job["id"], "complete", done(1))).status_code == 409
    assert (await gateway.http.post(f"/api/jobs/{job['id']}/cancel")).status_code == 409


async def test_asking_a_thousand_times_is_one_job(gateway: Any, job: dict[str, Any], redis_url: str) -> None:
    for _ in range(5):
        again = await gateway.http.post(f"/api/tracks/{job['track_id']}/analyze")
        assert (again.status_code, again.json()["id"]) == (202, job["id"])
    assert queued_ids(redis_url) == [f"{job['id']}-1"]


async def test_asked_for_while_under_way_it_runs_again(gateway: Any, job: dict[str, Any]) -> None:
    await claim(gateway, job["id"])
    await gateway.http.post(f"/api/tracks/{job['track_id']}/analyze")
    await report(gateway, job["id"], "complete", done(1))
    assert (await gateway.get(f"/api/jobs/{job['id']}"))["state"] == "waiting"
    await claim(gateway, job["id"])
    await report(gateway, job["id"], "complete", done(2))
    assert (await gateway.get(f"/api/jobs/{job['id']}"))["state"] == "completed"


async def test_an_emptied_queue_is_filled_again(
    gateway: Any, job: dict[str, Any], redis_url: str, eventually: Callable[..., Any]
) -> None:
    with Redis.from_url(redis_url) as redis:
        redis.flushdb()

    async def queued_again() -> bool:
        return queued_ids(redis_url) == [f"{job['id']}-1"]

    await eventually(queued_again)


async def test_work_is_accepted_while_redis_is_away(
    make_settings: Callable[..., Any], running_gateway: Callable[..., Any]
) -> None:
    settings = make_settings(redis_url=SecretStr("redis://127.0.0.1:1/0"))
    async with running_gateway(settings) as gateway:
        answer = await gateway.http.post("/api/upload", files={"file": ("a.mp3", b"\0audio")})
        assert answer.status_code == 201
        assert (await gateway.get("/api/jobs"))["summary"]["waiting"] == 1
        ready = await gateway.http.get("/ready")
        assert (ready.status_code, ready.json()["checks"]["redis"]) == (200, False)


async def test_a_finished_download_attaches_the_file_and_asks_for_its_analysis(gateway: Any) -> None:
    track = await gateway.add_track(track_id="9-A1")
    job = (
        await gateway.http.post("/api/tracks/9-A1/download", json={"url": "https://example.org/a.mp3"})
    ).json()
    claimed = await claim(gateway, job["id"])
    assert claimed["payload"]["url"] == "https://example.org/a.mp3"
    outcome = {
        "kind": "download",
        "audio_path": "dj/9-A1/a.mp3",
        "duration_seconds": 61,
        "source_url": "https://example.org/a.mp3",
    }
    outside = outcome | {"audio_path": "../../etc/passwd"}
    refused = await report(gateway, job["id"], "complete", {"attempt": 1, "outcome": outside})
    assert refused.status_code == 422
    accepted = await report(gateway, job["id"], "complete", {"attempt": 1, "outcome": outcome})
    assert accepted.status_code == 204
    track = await gateway.get("/api/tracks/9-A1")
    assert (track["local_audio_url"], track["duration"]) == ("dj/9-A1/a.mp3", "1:01")
    waiting = (await gateway.get("/api/jobs", state="waiting"))["jobs"]
    assert [(j["name"], j["track_id"]) for j in waiting] == [("analyze", "9-A1")]


async def test_a_track_without_audio_cannot_be_analysed(gateway: Any) -> None:
    await gateway.add_track(track_id="9-A1")
    answer = await gateway.http.post("/api/tracks/9-A1/analyze")
    assert answer.status_code == 409
    assert "Upload a file" in answer.json()["detail"]


async def test_the_list_has_the_older_shape(gateway: Any, job: dict[str, Any], tmp_path: Path) -> None:
    listed = await gateway.get("/api/jobs", limit=1)
    assert set(listed) == {"jobs", "summary", "pagination"}
    assert listed["summary"]["waiting"] == listed["pagination"]["total"] == 1
    older = {"id", "name", "state", "progress", "data", "returnvalue", "failedReason", "attemptsMade"}
    assert older <= set(listed["jobs"][0])


async def test_an_old_failure_is_not_retried_beside_an_open_job(gateway: Any, job: dict[str, Any]) -> None:
    await claim(gateway, job["id"])
    await report(gateway, job["id"], "fail", {"attempt": 1, **NOT_AUDIO})
    await gateway.http.post(f"/api/tracks/{job['track_id']}/analyze")
    answer = await gateway.http.post(f"/api/jobs/{job['id']}/retry")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


async def test_deleting_a_track_ends_its_jobs(gateway: Any, job: dict[str, Any]) -> None:
    await claim(gateway, job["id"])
    await gateway.http.delete(f"/api/tracks/{job['track_id']}")
    assert (await report(gateway, job["id"], "complete", done(1))).status_code == 409
    shown = await gateway.get(f"/api/jobs/{job['id']}")
    assert (shown["state"], shown["failedReason"]) == ("cancelled", "The track was deleted.")


async def test_reports_without_the_service_token_are_refused(gateway: Any, job: dict[str, Any]) -> None:
    assert (await gateway.http.post(f"/internal/jobs/{job['id']}/claim")).status_code == 401
