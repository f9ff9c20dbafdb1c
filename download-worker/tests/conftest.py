"""The worker as a real process, with stand-ins for the gateway, essentia-api and the internet."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from redis import Redis
from rq import Queue

from dj_contracts.jobs import QUEUE_NAME, RUN_JOB
from download_worker import media
from download_worker.testing.audio_server import AudioServer, audio_server
from download_worker.testing.fake_essentia import FakeEssentia, fake_essentia
from download_worker.testing.fake_gateway import TOKEN, FakeGateway, fake_gateway


def until(met: Callable[[], object], *, seconds: float = 30, what: str = "") -> None:
    deadline = time.monotonic() + seconds
    while not met():
        if time.monotonic() > deadline:
            raise AssertionError(f"It did not come about in {seconds} s. {what}")
        time.sleep(0.02)


@pytest.fixture(name="until")
def until_fixture() -> Callable[..., None]:
    return until


@pytest.fixture
def gateway() -> Iterator[FakeGateway]:
    with fake_gateway() as running:
        yield running


@pytest.fixture
def essentia() -> Iterator[FakeEssentia]:
    with fake_essentia() as running:
        yield running


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, bytes]]:
    """Real files, made with the real ffmpeg, and some that are none."""
    folder = tmp_path_factory.mktemp("samples")
    tone = ["-f", "lavfi", "-i", "sine=frequency=440:duration=4"]
    made = {
        "tone.mp3": ("audio/mpeg", [*tone, "-c:a", "libmp3lame"]),
        "tone.wav": ("audio/wav", tone),
        "tone.flac": ("audio/flac", [*tone, "-c:a", "flac"]),
        "tone.m4a": ("audio/mp4", [*tone, "-c:a", "aac"]),
        "tone.webm": ("audio/webm", [*tone, "-c:a", "libopus"]),
        "video.mp4": (
            "video/mp4",
            [*tone, "-f", "lavfi", "-i", "color=c=red:s=32x32:d=4", "-c:a", "aac", "-c:v", "libx264"],
        ),
        "silence.mp3": ("audio/mpeg", ["-f", "lavfi", "-i", "anullsrc", "-t", "2", "-c:a", "libmp3lame"]),
    }
    files = {}
    for name, (kind, words) in made.items():
        path = folder / name
        subprocess.run([media.find_ffmpeg(), "-v", "error", *words, str(path)], check=True, timeout=60)
        files[name] = (kind, path.read_bytes())
    files["empty.mp3"] = ("audio/mpeg", b"")
    files["text.mp3"] = ("audio/mpeg", b"This is not the music you are looking for. " * 200)
    files["page.html"] = ("text/html", b"<html><body><h1>A page without audio</h1></body></html>")
    files["half.flac"] = ("audio/flac", files["tone.flac"][1][: len(files["tone.flac"][1]) // 2])
    files["list.mp3"] = ("audio/mpeg", b"#EXTM3U\n#EXTINF:4,\n/etc/hostname\n#EXT-X-ENDLIST\n")
    return files


@pytest.fixture
def web(samples: dict[str, tuple[str, bytes]]) -> Iterator[AudioServer]:
    with audio_server() as running:
        running.files.update(samples)
        yield running


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

    def horse_of(self, worker: "subprocess.Popen[bytes]") -> psutil.Process | None:
        children = psutil.Process(worker.pid).children()
        return children[0] if children else None

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
                family = psutil.Process(worker.pid).children(recursive=True)
                worker.kill()
                for member in family:
                    member.send_signal(signal.SIGKILL)
            worker.wait()


@pytest.fixture
def constellation(
    redis_url: str,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    gateway: FakeGateway,
    essentia: FakeEssentia,
    web: AudioServer,
) -> Iterator[Constellation]:
    audio_dir = tmp_path / "audio folder"
    audio_dir.mkdir()
    running = Constellation(
        redis_url,
        audio_dir,
        {
            "REDIS_URL": redis_url,
            "GATEWAY_URL": gateway.url,
            "ESSENTIA_URL": essentia.url,
            "SERVICE_TOKEN": TOKEN,
            "AUDIO_DIR": str(audio_dir),
            "ALLOW_PRIVATE_HOSTS": web.url.removeprefix("http://"),
            "HEARTBEAT_SECONDS": "0.3",
            "CLAIM_PATIENCE_SECONDS": "1",
            "LOG_JSON": "true",
            # Each test starts several processes; compiling everything each time would take longest.
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": str(tmp_path_factory.getbasetemp() / "pycache"),
        },
        tmp_path / "worker.log",
    )
    yield running
    running.end()
