"""The parts of a benchmark that runs the real constellation: servers, services, and their ends."""

import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen

import httpx

from migrations.migrate import migrate
from standalone import postgres, processes, valkey
from standalone.ports import free_ports

ROOT = Path(__file__).parents[1]
TOKEN = "a-token-for-the-benchmark"  # noqa: S105 - guards nothing but the benchmark


@dataclass
class Parts:
    """Each by name: how it is started, and the process that runs now."""

    home: Path
    environment: dict[str, str]
    gateway_url: str
    database_url: str
    redis_url: str
    essentia_url: str
    audio_dir: Path
    commands: dict[str, processes.Command] = field(default_factory=dict)
    running: dict[str, "Popen[bytes]"] = field(default_factory=dict)
    starts: Counter[str] = field(default_factory=Counter)

    def start(self, name: str) -> "Popen[bytes]":
        self.starts[name] += 1
        self.running[name] = processes.spawn(self.commands[name], self.log(name))
        return self.running[name]

    def log(self, name: str) -> Path:
        return self.home / f"{name}.log"

    def add(self, name: str, *argv: str, **environment: str) -> None:
        """A service of ours, as ``python ARGV``; it is not started yet."""
        own = {**self.environment, **environment}
        self.commands[name] = processes.Command((sys.executable, *argv), cwd=ROOT, env=own)

    def stop(self, name: str) -> None:
        processes.stop(self.running.pop(name), self.commands[name].stop_signal)

    def stop_all(self) -> None:
        for name in reversed(list(self.running)):
            self.stop(name)


@contextmanager
def parts(kept: Path | None = None, /, **environment: str) -> Iterator[Parts]:
    """PostgreSQL and Valkey running, everything else laid out. ``environment`` is for all services. The
    data are in ``kept``, for the next run too, or in a folder that goes at the end."""
    with ExitStack() as stack:
        if kept is None:
            passing = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
            home = Path(stack.enter_context(passing))
        else:
            home = kept.resolve()
            home.mkdir(parents=True, exist_ok=True)
        pg_port, valkey_port, gateway_port, essentia_port = free_ports(4)
        audio = home / "audio"
        audio.mkdir(exist_ok=True)
        made = Parts(
            home,
            {
                "PYTHONPATH": str(ROOT),
                "HOST": "127.0.0.1",
                "DATABASE_URL": postgres.url(home, pg_port),
                "REDIS_URL": valkey.url(home, valkey_port),
                "GATEWAY_URL": f"http://127.0.0.1:{gateway_port}",
                "ESSENTIA_URL": f"http://127.0.0.1:{essentia_port}",
                "SERVICE_TOKEN": TOKEN,
                "AUDIO_DIR": str(audio),
                "DISK_FLOOR_BYTES": "0",
                "MIN_FREE_BYTES": "0",
                "LOG_JSON": "true",
                **environment,
            },
            gateway_url=f"http://127.0.0.1:{gateway_port}",
            database_url=postgres.url(home, pg_port),
            redis_url=valkey.url(home, valkey_port),
            essentia_url=environment.get("ESSENTIA_URL", f"http://127.0.0.1:{essentia_port}"),
            audio_dir=audio,
        )
        stack.callback(made.stop_all)
        postgres.prepare(home, sync=False)
        made.commands["postgres"] = postgres.server(home, pg_port)
        postgres.wait_until_ready(postgres.url(home, pg_port, "postgres"), made.start("postgres"))
        postgres.ensure_database(home, pg_port)
        migrate(made.database_url)
        made.commands["valkey"] = valkey.server(home, valkey_port)
        valkey.wait_until_ready(made.redis_url, made.start("valkey"))
        made.add("gateway", "-m", "gateway_api", PORT=str(gateway_port))
        made.add("essentia", "-m", "essentia_api", PORT=str(essentia_port))
        made.add("worker", "-m", "download_worker")
        made.add("bridge", "-m", "download_worker.bridge")
        yield made


def await_true(met: Callable[[], object], what: str, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not met():
        if time.monotonic() > deadline:
            raise SystemExit(f"In {seconds:.0f} s it did not come about that {what}.")
        time.sleep(0.05)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def peak_memory_mb(child: "Popen[bytes]") -> float:
    status = Path(f"/proc/{child.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def processors() -> int:
    return os.cpu_count() or 1
