"""The bridge as a real process, between a real Valkey and a strict gateway, with kills in between."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from dj_contracts.errors import ErrorCode
from dj_contracts.jobs import JobState
from download_worker.testing.constellation import until
from download_worker.testing.fake_gateway import TOKEN
from download_worker.testing.fake_pushes import FakePushes, fake_pushes

PUSH = {"track_id": "12345", "source": "youtube", "url": "https://youtu.be/x"}
Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    client = Redis.from_url(redis_url)
    yield client
    client.close()


@pytest.fixture
def pushes() -> Iterator[FakePushes]:
    with fake_pushes() as running:
        yield running


@pytest.fixture
def start(redis_url: str, pushes: FakePushes, tmp_path: Path) -> Iterator[Start]:
    bridges: list[subprocess.Popen[bytes]] = []

    def start_bridge() -> "subprocess.Popen[bytes]":
        environment = {
            "REDIS_URL": redis_url,
            "GATEWAY_URL": pushes.url,
            "ESSENTIA_URL": "http://127.0.0.1:9",
            "SERVICE_TOKEN": TOKEN,
            "AUDIO_DIR": str(tmp_path),
        }
        with (tmp_path / "bridge.log").open("ab") as log:
            command = [sys.executable, "-m", "download_worker.bridge"]
            bridges.append(subprocess.Popen(command, env={**os.environ, **environment}, stderr=log))
        return bridges[-1]

    yield start_bridge
    for bridge in bridges:
        bridge.kill()
        bridge.wait()


def push(redis: Redis, name: str, **fields: Any) -> None:
    redis.lpush(name, json.dumps(PUSH | fields))


LISTS = ("download-queue", "download_queue", "download-queue:processing", "download_queue:processing")


def left(redis: Redis) -> list[str]:
    """The lists that hold anything, in one look: a push may go back from one to the other between two."""
    with redis.pipeline() as pipe:
        for name in LISTS:
            pipe.exists(name)
        return [name for name, exists in zip(LISTS, pipe.execute(), strict=True) if exists]


def test_pushes_on_both_lists_are_registered_in_order(redis: Redis, pushes: FakePushes, start: Start) -> None:
    for number in range(5):
        push(redis, "download-queue", track_id=str(number))
        push(redis, "download_queue", track_id=f"u{number}", job_id=f"old{number}")
    start()
    until(lambda: not left(redis))
    arrived = [registration.track_id for registration in pushes.registrations]
    assert [track for track in arrived if not track.startswith("u")] == ["0", "1", "2", "3", "4"]
    assert [track for track in arrived if track.startswith("u")] == ["u0", "u1", "u2", "u3", "u4"]


def test_the_same_push_a_thousand_times_is_one_job(redis: Redis, pushes: FakePushes, start: Start) -> None:
    with redis.pipeline() as pipe:
        for _ in range(1000):
            pipe.lpush("download-queue", json.dumps(PUSH))
        pipe.execute()
    start()
    until(lambda: not left(redis), seconds=60)
    assert len(pushes.jobs) == 1


def test_poison_is_buried_with_its_reason_and_the_rest_goes_on(
    redis: Redis, pushes: FakePushes, start: Start
) -> None:
    redis.lpush("download-queue", b"\xff not json")
    push(redis, "download-queue", job_type="fly", job_id="old1")
    push(redis, "download-queue", url="file:///etc/passwd")
    push(redis, "download-queue", track_id="good")
    start()
    until(lambda: not left(redis))
    assert [registration.track_id for registration in pushes.registrations] == ["good"]
    dead = [json.loads(entry) for entry in redis.lrange("download-queue:dead", 0, -1)]
    assert [entry["error"] for entry in dead] == [
        "Only links that start with http:// or https:// are fetched.",
        "There is no job of the kind fly.",
        "The push is not JSON.",
    ]
    assert all(entry["raw"] and entry["at"] for entry in dead)
    assert redis.hget("job:old1", "status") == b"failed"
    assert redis.hget("job:old1", "error") == b"There is no job of the kind fly."


def test_a_gateway_in_trouble_or_without_the_endpoint_is_waited_for(
    redis: Redis, pushes: FakePushes, start: Start
) -> None:
    pushes.broken_answers += [503, 404, 500]
    push(redis, "download-queue")
    start()
    until(lambda: not left(redis))
    assert len(pushes.jobs) == 1
    assert not redis.exists("download-queue:dead")


def test_a_gateway_that_is_away_loses_nothing(
    redis: Redis, redis_url: str, pushes: FakePushes, start: Start, tmp_path: Path
) -> None:
    with fake_pushes() as gone:
        pushes.url = gone.url
    push(redis, "download-queue", track_id="1")
    push(redis, "download-queue", track_id="2")
    start()
    until(lambda: "bridge_waits_for_gateway" in (tmp_path / "bridge.log").read_text())
    with fake_pushes(int(gone.url.rpartition(":")[2]), gone):
        until(lambda: not left(redis))
    assert [registration.track_id for registration in gone.registrations] == ["1", "2"]


def test_what_a_killed_bridge_left_is_taken_up_by_the_next(
    redis: Redis, pushes: FakePushes, start: Start
) -> None:
    for number in range(300):
        push(redis, "download-queue", track_id=str(number))
    for threshold in (30, 90, 160):
        bridge = start()
        until(lambda threshold=threshold: len(pushes.registrations) >= threshold)  # type: ignore[misc]
        bridge.kill()
        bridge.wait()
        # The lease of the dead one would run out by itself after some seconds.
        redis.delete("dj:bridge")
    start()
    until(lambda: not left(redis))
    assert len(pushes.jobs) == 300
    assert {registration.track_id for registration in pushes.registrations} == set(map(str, range(300)))


def test_two_bridges_share_the_work_without_doing_it_twice(
    redis: Redis, pushes: FakePushes, start: Start
) -> None:
    start()
    start()
    for number in range(100):
        push(redis, "download-queue", track_id=str(number))
    until(lambda: not left(redis))
    assert len(pushes.registrations) == 100


def test_older_readers_see_how_a_job_fares(redis: Redis, pushes: FakePushes, start: Start) -> None:
    push(redis, "download_queue", job_id="old1", track_id="1")
    push(redis, "download_queue", job_id="old2", track_id="2")
    start()
    until(lambda: redis.hget("job:old2", "status") == b"queued")
    pushes.set_state("job0", state=JobState.ACTIVE, progress=41.6)
    until(lambda: redis.hget("job:old1", "status") == b"processing")
    assert redis.hget("job:old1", "progress") == b"42"
    pushes.set_state("job0", state=JobState.COMPLETED, progress=100)
    pushes.set_state("job1", state=JobState.FAILED, error_code=ErrorCode.SOURCE_GONE, error="It is gone.")
    until(lambda: redis.hget("job:old1", "status") == b"completed")
    until(lambda: redis.hget("job:old2", "status") == b"failed")
    assert redis.hget("job:old2", "error") == b"It is gone."
    assert redis.zcard("jobs:updated") == 2
    until(lambda: not redis.exists("dj:pushes:open"))


def test_a_list_name_with_another_kind_of_value_is_left_alone(
    redis: Redis, pushes: FakePushes, start: Start, tmp_path: Path
) -> None:
    redis.set("download_queue", "not a list")
    start()
    until(lambda: "bridge_refused_by_redis" in (tmp_path / "bridge.log").read_text())
    push(redis, "download-queue")
    until(lambda: len(pushes.jobs) == 1)
    until(lambda: left(redis) == ["download_queue"])
    assert redis.get("download_queue") == b"not a list"
