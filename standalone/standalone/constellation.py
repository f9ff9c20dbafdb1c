"""The processes of the constellation as a table: what each is, in which order, and how it is well."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import psutil
import redis

from dj_contracts.pushes import BRIDGE_LEASE
from standalone import postgres, valkey
from standalone.home import Home
from standalone.ports import free_ports, is_taken
from standalone.processes import Command, StartError

WORKSPACE = Path(__file__).resolve().parents[2]
DEFAULT_PORT_BASE = 8000
_HOST = "127.0.0.1"

Probe = Callable[[int], bool]


@dataclass(frozen=True)
class Service:
    """``stage`` is the order of starting; those of one stage start side by side. ``command`` is None
    for a server that somebody else runs. ``once`` marks a step that runs to its end. ``probe`` is
    given the process id and says whether the service is well."""

    name: str
    stage: int
    url: str | None
    command: Command | None
    probe: Probe
    once: bool = False
    before: Callable[[], None] | None = None


@dataclass(frozen=True)
class Constellation:
    services: tuple[Service, ...]
    gateway_url: str
    essentia_url: str
    ga_url: str
    database_url: str
    redis_url: str


def lay_out(home: Home, *, port_base: int, music: list[Path], workers: int = 1) -> Constellation:
    """Decide ports, URLs and commands. Nothing is started here."""
    gateway_port, essentia_port, ga_port = _service_ports(port_base)
    postgres_port, valkey_port = free_ports(2, besides=(gateway_port, essentia_port, ga_port))
    database_url, redis_url = _given("DATABASE_URL"), _given("REDIS_URL")
    own_database, own_redis = database_url is None, redis_url is None
    database_url = database_url or postgres.url(home.root, postgres_port)
    redis_url = redis_url or valkey.url(home.root, valkey_port)
    gateway_url, essentia_url, ga_url = (
        f"http://{_HOST}:{port}" for port in (gateway_port, essentia_port, ga_port)
    )
    env = {
        "HOST": _HOST,
        "AUDIO_DIR": str(home.audio),
        "MUSIC_DIRS": os.pathsep.join(str(path) for path in music),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "GATEWAY_URL": gateway_url,
        "ESSENTIA_URL": essentia_url,
        "GA_URL": ga_url,
        "SERVICE_TOKEN": home.service_token(),
        "PYTHONUNBUFFERED": "1",
    }

    def python(module: str, port: int | None = None) -> Command:
        own = {"PORT": str(port)} if port else {}
        return Command((sys.executable, "-m", module), cwd=WORKSPACE, env={**env, **own})

    server_url = postgres.url(home.root, postgres_port, "postgres")
    services = (
        Service(
            "postgres",
            0,
            f"postgresql://{_HOST}:{postgres_port}" if own_database else "external",
            postgres.server(home.root, postgres_port) if own_database else None,
            lambda _: postgres.answers(server_url if own_database else database_url),
            before=partial(postgres.prepare, home.root) if own_database else None,
        ),
        Service(
            "valkey",
            1,
            f"redis://{_HOST}:{valkey_port}" if own_redis else "external",
            valkey.server(home.root, valkey_port) if own_redis else None,
            lambda _: valkey.answers(redis_url),
        ),
        Service(
            "migrations",
            2,
            None,
            python("migrations.migrate"),
            lambda _: True,
            once=True,
            before=partial(postgres.ensure_database, home.root, postgres_port) if own_database else None,
        ),
        Service("essentia", 3, essentia_url, python("essentia_api", essentia_port), _http(essentia_url)),
        Service("ga", 3, ga_url, python("ga_service", ga_port), _http(ga_url)),
        Service("gateway", 4, gateway_url, python("gateway_api", gateway_port), _http(gateway_url)),
        *(
            Service(
                "worker" if number == 1 else f"worker-{number}",
                5,
                None,
                python("download_worker"),
                partial(_takes_jobs, redis_url),
            )
            for number in range(1, workers + 1)
        ),
        Service(
            "bridge",
            6,
            None,
            python("download_worker.bridge"),
            lambda _pid: _key_stands(redis_url, BRIDGE_LEASE),
        ),
    )
    return Constellation(services, gateway_url, essentia_url, ga_url, database_url, redis_url)


def _service_ports(base: int) -> tuple[int, int, int]:
    if not 1 <= base <= 65533:
        raise StartError(f"--port-base {base} does not leave room for three ports. Choose 1 to 65533.")
    ports = (base, base + 1, base + 2)
    for port in ports:
        if is_taken(port):
            raise StartError(
                f"Port {port} is taken by another program. Stop that one, or choose other ports: "
                f"./dj up --port-base {8100 if base < 8100 else base + 10}"
            )
    return ports


def _given(name: str) -> str | None:
    if value := os.environ.get(name):
        return value
    if not (file := os.environ.get(f"{name}_FILE")):
        return None
    try:
        return Path(file).read_text().strip()
    except OSError as exc:
        raise StartError(f"{name}_FILE: {file} cannot be read ({exc.strerror}).") from exc


def _http(url: str) -> Probe:
    def probe(_pid: int) -> bool:
        try:
            return httpx.get(f"{url}/health", timeout=2, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    return probe


def _key_stands(redis_url: str, key: str) -> bool:
    """The bridge has no port either: one that works holds its lease."""
    client = redis.Redis.from_url(redis_url, socket_timeout=2, socket_connect_timeout=2)
    try:
        return bool(client.exists(key))
    except redis.RedisError:
        return False
    finally:
        client.close()


def _takes_jobs(redis_url: str, pid: int) -> bool:
    """A worker has no port: it is well when it, or a child of it, is signed in at the queue."""
    client = redis.Redis.from_url(
        redis_url, socket_timeout=2, socket_connect_timeout=2, decode_responses=True
    )
    try:
        ours = {pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))}
        keys = client.smembers("rq:workers")
        pids = (client.hget(str(key), "pid") for key in keys)
        return any(found is not None and int(found) in ours for found in pids)
    except (redis.RedisError, psutil.NoSuchProcess):
        return False
    finally:
        client.close()
