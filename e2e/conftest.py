"""A running constellation for the tests: our own ``./dj up``, or the one that DJ_E2E_URL names."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from e2e.stack import Stack
from standalone.gateway import Gateway
from standalone.ports import free_port_base


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Ours alone; a test that kills or restarts asks for this one."""
    if os.environ.get("DJ_E2E_URL"):
        pytest.skip(
            "this test stops and starts services, which a constellation named by DJ_E2E_URL is not for"
        )
    folder = tmp_path_factory.mktemp("stack with spaces")
    music = folder / "my music"
    music.mkdir()
    running = Stack(folder / "data", free_port_base(3), music)
    try:
        running.start()
        yield running
    finally:
        running.gateway.close()
        running.interrupt()


@pytest.fixture(scope="session")
def music(request: pytest.FixtureRequest) -> Path:
    """A folder that the constellation may read: ours, or DJ_E2E_MUSIC of the one that runs already."""
    if os.environ.get("DJ_E2E_URL"):
        if not (shared := os.environ.get("DJ_E2E_MUSIC")):
            pytest.skip("DJ_E2E_MUSIC must name a folder that the constellation reads too")
        return Path(shared)
    found: Path = request.getfixturevalue("stack").music
    return found


@pytest.fixture(scope="session")
def gateway(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    if url := os.environ.get("DJ_E2E_URL"):
        named = Gateway(url)
        yield named
        named.close()
    else:
        yield request.getfixturevalue("stack").gateway


@pytest.fixture(scope="session")
def http(gateway: Gateway, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    url = os.environ.get("DJ_E2E_URL") or f"http://127.0.0.1:{request.getfixturevalue('stack').port_base}"
    token = os.environ.get("API_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def redis_url(request: pytest.FixtureRequest) -> str:
    """Where raw pushes go: ours, or DJ_E2E_REDIS_URL of the one that runs already."""
    if os.environ.get("DJ_E2E_URL"):
        if not (given := os.environ.get("DJ_E2E_REDIS_URL")):
            pytest.skip("DJ_E2E_REDIS_URL must name the Redis of the constellation")
        return given
    url: str = request.getfixturevalue("stack").status()["redis_url"]
    return url
