"""The worker as a real process, with stand-ins for the gateway, essentia-api and the internet."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from download_worker import media
from download_worker.testing.audio_server import AudioServer, audio_server
from download_worker.testing.constellation import Constellation
from download_worker.testing.fake_essentia import FakeEssentia, fake_essentia
from download_worker.testing.fake_gateway import TOKEN, FakeGateway, fake_gateway


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
