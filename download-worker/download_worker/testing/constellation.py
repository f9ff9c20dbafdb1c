"""Workers as real processes, and what a test wants to know and to do about them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from redis import Redis
from rq import Queue

from dj_contracts.jobs import QUEUE_NAME, RUN_JOB


def until(met: Callable[[], object], *, seconds: float = 30, what: str = "") -> None:
    """Poll with a deadline."""
    deadline = time.monotonic() + seconds
    while not met():
        if time.monotonic() > deadline:
            raise AssertionError(f"It did not come about in {seconds} s. {what}")
        time.sleep(0.02)


def family_of(pid: int) -> list[int]:
    """Everything below this process, the nearest first."""
    found = _children(pid)
    return found + [grandchild for child in found for grandchild in family_of(child)]


def kill(*pids: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def any_runs(pids: list[int]) -> bool:
    """A dead process that nobody has waited for does not run."""
    return any(_state(pid) not in ("", "Z", "X") for pid in pids)


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1]
    except OSError:
        return ""


@dataclass
class Constellation:
    """Starts workers with the right environment and ends them all."""

    redis_url: str
    audio_dir: Path
    environment: dict[str, str]
    log_path: Path
    workers: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start_worker(self, **environment: str) -> "subprocess.Popen[bytes]":
        with self.log_path.open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "download_worker"],
                env={**os.environ, **self.environment, **environment},
                stderr=log,
                start_new_session=True,
            )
        self.workers.append(worker)
        return worker

    def horse_of(self, worker: "subprocess.Popen[bytes]") -> int | None:
        return next(iter(_children(worker.pid)), None)

    def enqueue(self, job_id: str, attempt: int = 1) -> None:
        connection = Redis.from_url(self.redis_url)
        queue = Queue(QUEUE_NAME, connection=connection, serializer="json")
        queue.enqueue(RUN_JOB, args=(job_id,), job_id=f"{job_id}-{attempt}", unique=True)
        connection.close()

    def incoming(self) -> list[str]:
        folder = self.audio_dir / ".incoming"
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []

    def audio_files(self) -> list[str]:
        found = (path.relative_to(self.audio_dir) for path in self.audio_dir.rglob("*") if path.is_file())
        return sorted(path.as_posix() for path in found if path.parts[0] != ".incoming")

    def log(self) -> str:
        return self.log_path.read_text() if self.log_path.exists() else ""

    def end(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                kill(worker.pid, *family_of(worker.pid))
            worker.wait()
