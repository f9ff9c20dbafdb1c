"""A gateway on a fresh database, spoken to as a client would."""

import asyncio
import importlib.util
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from pydantic import SecretStr

from dj_servicekit.file_spans import FileSpans
from gateway_api.main import create_app
from gateway_api.services import Services
from gateway_api.settings import Settings
from standalone.ports import free_ports

ROOT = Path(__file__).parents[2]
SERVICE_TOKEN = "service-token-of-the-tests"
MEILI_KEY = "key-of-the-stand-in"


@dataclass
class RunningGateway:
    http: httpx.AsyncClient
    worker: httpx.AsyncClient
    services: Services
    music: Path

    async def add_track(self, **fields: Any) -> dict[str, Any]:
        username = fields.pop("username", None)
        body = {"title": "Strings of Life", **fields}
        params = {"username": username} if username else {}
        answer = await self.http.post("/api/tracks", json=body, params=params)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def get(self, path: str, **params: Any) -> Any:
        answer = await self.http.get(path, params=params)
        assert answer.is_success, answer.text
        return answer.json()


@pytest.fixture
def make_settings(database_url: str, redis_url: str, tmp_path: Path) -> Callable[..., Settings]:
    def make(**changes: Any) -> Settings:
        values: dict[str, Any] = {
            "database_url": SecretStr(database_url),
            "redis_url": SecretStr(redis_url),
            "service_token": SecretStr(SERVICE_TOKEN),
            "audio_dir": tmp_path / "audio",
            "music_dirs": (tmp_path / "music",),
            "sweep_seconds": 0.2,
            "index_poll_seconds": 0.05,
            "meili_key": SecretStr(MEILI_KEY),
            "disk_floor_bytes": 0,
        }
        return Settings(**values | changes)

    return make


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[RunningGateway]:
    app = create_app(settings)
    settings.music_dirs[0].mkdir(exist_ok=True)
    transport = httpx.ASGITransport(app)
    auth = {"Authorization": f"Bearer {SERVICE_TOKEN}"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as http,
        httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=auth) as worker,
    ):
        yield RunningGateway(http, worker, app.state.services, settings.music_dirs[0])


@pytest.fixture
def running_gateway() -> Callable[[Settings], Any]:
    """For tests that choose the settings: ``async with running_gateway(settings) as gateway``."""
    return running


@pytest.fixture
def serve_app() -> Callable[[Any], AbstractContextManager[str]]:
    """A real server on a free port for an application: ``with serve_app(app) as url``."""
    return serving


@contextmanager
def serving(app: Any, http: Any = "auto", loop: Any = "auto") -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(FileSpans(app), http=http, loop=loop, log_config=None, lifespan="on")
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture
def meilisearch() -> Iterator[Any]:
    """A stand-in for a Meilisearch server; see stand_in/meilisearch.py."""
    path = Path(__file__).parent / "stand_in" / "meilisearch.py"
    spec = importlib.util.spec_from_file_location("stand_in_meilisearch", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    server = module.StandIn(key=MEILI_KEY)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
async def gateway(make_settings: Callable[..., Settings]) -> AsyncIterator[RunningGateway]:
    async with running(make_settings()) as gateway:
        yield gateway


@pytest.fixture
def eventually() -> Callable[..., Any]:
    """The first true answer of an async check, polled until a deadline."""

    async def poll(check: Callable[[], Any], seconds: float = 10) -> Any:
        deadline = asyncio.get_running_loop().time() + seconds
        while not (found := await check()):
            assert asyncio.get_running_loop().time() < deadline, "It did not come about in time."
            await asyncio.sleep(0.05)
        return found

    return poll


@pytest.fixture
def gateway_process(database_url: str, redis_url: str, tmp_path: Path) -> Callable[[], Any]:
    """``with gateway_process() as (process, http)``: one that can be stopped and killed."""
    env = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SERVICE_TOKEN": SERVICE_TOKEN,
        "AUDIO_DIR": str(tmp_path / "audio"),
        "DISK_FLOOR_BYTES": "0",
    }
    return lambda: real_gateway(env, tmp_path)


@contextmanager
def real_gateway(env: dict[str, str], folder: Path) -> Iterator[tuple[Any, httpx.Client]]:
    """A gateway in a process of its own, which can be killed."""
    port = free_ports(1)[0]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PORT": str(port), **env}
    with (folder / "gateway.log").open("a") as log:
        process = subprocess.Popen([sys.executable, "-m", "gateway_api"], env=env, cwd=ROOT, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
            deadline = time.monotonic() + 30
            while True:
                with suppress(httpx.TransportError):
                    http.get("/health").raise_for_status()
                    break
                assert time.monotonic() < deadline, (folder / "gateway.log").read_text()
            yield process, http
    finally:
        process.kill()
        process.wait()
