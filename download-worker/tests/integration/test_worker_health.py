"""The health check of the worker's container."""

import socket
from pathlib import Path

import pytest
from redis import Redis

from dj_contracts.pushes import BRIDGE_LEASE
from download_worker.health import is_well, main
from download_worker.testing.constellation import Constellation, until


def test_a_worker_is_well_once_it_has_signed_in(constellation: Constellation) -> None:
    with Redis.from_url(constellation.redis_url) as redis:
        assert not is_well(redis, "worker")
        constellation.start_worker()
        until(lambda: is_well(redis, "worker"))


def test_a_worker_of_another_machine_does_not_count(redis_url: str) -> None:
    with Redis.from_url(redis_url) as redis:
        redis.sadd("rq:workers", "rq:worker:other")
        redis.hset("rq:worker:other", "hostname", f"not-{socket.gethostname()}")
        assert not is_well(redis, "worker")


def test_the_bridge_is_well_while_the_lease_stands(redis_url: str) -> None:
    with Redis.from_url(redis_url) as redis:
        assert not is_well(redis, "bridge")
        redis.set(BRIDGE_LEASE, "somebody", ex=15)
        assert is_well(redis, "bridge")


def test_without_redis_it_is_not_well_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    settings = {
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "GATEWAY_URL": "http://127.0.0.1:1",
        "ESSENTIA_URL": "http://127.0.0.1:1",
        "SERVICE_TOKEN": "0123456789abcdef",
        "AUDIO_DIR": str(tmp_path),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert main([]) == 1
    assert "Redis does not answer" in capsys.readouterr().err
