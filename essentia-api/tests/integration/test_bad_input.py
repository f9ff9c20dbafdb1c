"""Files that are damaged, odd, extreme or no music: each is answered, and none with made-up numbers."""

import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from essentia_api.decode import SAMPLE_RATE, find_ffmpeg
from essentia_api.main import create_app
from essentia_api.settings import Settings
from essentia_api.testing import Write, house_loop, serving

BPM, KEY = 123.4, "F# minor"
VIDEO = ("-f", "lavfi", "-i", "testsrc=size=128x72:rate=10", "-shortest", "-c:v", "mpeg4")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("audio")


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[httpx.Client]:
    settings = Settings(audio_dir=folder, analysis_workers=1, max_duration_seconds=3600)
    with serving(create_app(settings)) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def loop() -> np.ndarray[Any, np.dtype[np.float32]]:
    return house_loop(bpm=BPM, tonic=6, mode="minor")


def ask(client: httpx.Client, path: Path, *want: str) -> tuple[int, dict[str, Any]]:
    body = {"filename": str(path), **({"want": list(want)} if want else {})}
    answer = client.post("/analyze", json=body)
    return answer.status_code, answer.json()


def refusal(client: httpx.Client, path: Path) -> tuple[int, str]:
    status, body = ask(client, path)
    assert body["detail"].endswith("."), body
    return status, body["code"]


def ffmpeg(*arguments: str) -> None:
    subprocess.run([find_ffmpeg(), "-v", "error", "-y", *arguments], check=True)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("8k.wav", ("-ar", "8000")),
        ("192k.flac", ("-ar", "192000")),
        ("eight.wav", ("-c:a", "pcm_u8")),
        ("film.mp4", VIDEO),
        ("film.mkv", VIDEO),
        ("film.avi", VIDEO),
        ("a.webm", ("-c:a", "libopus")),
        ("a.aiff", ()),
        ("a.wma", ()),
        ("a.ts", ()),
        ("a.ac3", ()),
        ("a.caf", ()),
        ("a 'single' \"double\" $(x) `y`;\t\n🌙 ünï-\u202e.mp3", ()),
        ("-i.mp3", ()),
        ("file:a%20b?c#d.mp3", ()),
    ],
)
def test_any_container_rate_and_name_gets_the_same_answer(
    client: httpx.Client,
    folder: Path,
    write: Write,
    loop: np.ndarray[Any, np.dtype[np.float32]],
    name: str,
    arguments: tuple[str, ...],
) -> None:
    plain = f"plain{Path(name).suffix}"
    path = write(plain, loop, *arguments).rename(folder / name)
    status, body = ask(client, path, "tempo", "key")
    assert status == 200, body
    assert body["tempo"]["bpm"] == pytest.approx(BPM, abs=0.05)
    assert body["key"]["name"] == KEY
    assert body["duration_seconds"] == pytest.approx(30, abs=0.15)


@pytest.mark.parametrize("change", ["clipped", "faint", "offset", "one side only"])
def test_a_bad_recording_of_a_track_keeps_its_tempo_and_key(
    client: httpx.Client,
    folder: Path,
    write: Write,
    loop: np.ndarray[Any, np.dtype[np.float32]],
    change: str,
) -> None:
    changed = {
        "clipped": np.clip(loop * 8, -1, 1),
        "faint": loop * np.float32(1e-3 / np.max(np.abs(loop))),  # its peak at -60 dBFS
        "offset": loop * np.float32(0.4) + np.float32(0.5),
        "one side only": np.stack([np.zeros_like(loop), loop], axis=1),
    }
    path = write(f"{change}.wav", changed[change]).rename(folder / f"{change}.wav")
    _, body = ask(client, path)
    assert body["tempo"]["bpm"] == pytest.approx(BPM, abs=0.05)
    assert body["key"]["name"] == KEY


@pytest.mark.parametrize("suffix", ["flac", "mp3"])
def test_white_noise_has_no_tempo_and_no_key(
    client: httpx.Client, folder: Path, write: Write, suffix: str
) -> None:
    noise = np.random.default_rng(8).standard_normal(20 * SAMPLE_RATE).astype(np.float32) * np.float32(0.1)
    name = f"noise.{suffix}"
    status, body = ask(client, write(name, noise).rename(folder / name))
    assert status == 200
    assert (body["tempo"]["bpm"], body["key"]["name"]) == (None, None)
    assert max(body["tempo"]["confidence"], body["key"]["confidence"]) < 0.5
    assert body["beats"] == body["downbeats"] == body["cues"] == []


@pytest.mark.parametrize("seconds", [0.02, 0.5, 1])
def test_a_moment_of_music_has_no_tempo_and_no_key(
    client: httpx.Client, folder: Path, write: Write, seconds: float
) -> None:
    path = write("moment.wav", house_loop(seconds=seconds)).rename(folder / f"moment {seconds}.wav")
    status, body = ask(client, path)
    assert (status, body["tempo"]["bpm"], body["key"]["name"]) == (200, None, None)


def test_eight_seconds_of_music_are_enough(client: httpx.Client, folder: Path, write: Write) -> None:
    path = write("eight.mp3", house_loop(bpm=128, seconds=8)).rename(folder / "eight.mp3")
    _, body = ask(client, path)
    assert body["tempo"]["bpm"] == pytest.approx(128, abs=0.5)
    assert body["key"]["name"] == "A minor"


def test_silence_in_every_part_is_null_or_empty(client: httpx.Client, folder: Path, write: Write) -> None:
    path = write("silence.flac", np.zeros(20 * SAMPLE_RATE, dtype=np.float32)).rename(folder / "s.flac")
    status, body = ask(client, path)
    assert status == 200
    assert body["tempo"]["bpm"] is body["key"]["name"] is body["energy"]["level"] is None
    assert body["danceability"] is body["embedding"] is body["loudness"]["integrated_lufs"] is None
    assert body["moods"] == {}
    assert body["beats"] == body["sections"] == body["cues"] == []


def test_infinity_and_no_number_at_all_are_no_fault_of_ours(
    client: httpx.Client, folder: Path, write: Write
) -> None:
    samples = house_loop(bpm=BPM, seconds=20)
    samples[[1000, 30_000, 70_000, 90_000]] = [np.nan, np.inf, -np.inf, 3e38]
    path = write("floats.wav", samples, "-c:a", "pcm_f32le").rename(folder / "floats.wav")
    status, body = ask(client, path)
    assert status == 200
    # What ffmpeg has turned down by 3 dB, for the file is mono, is kept to 40.
    assert body["loudness"]["true_peak_dbtp"] == pytest.approx(43, abs=0.1)


def test_a_cover_alone_is_not_audio(client: httpx.Client, folder: Path) -> None:
    picture = folder / "cover.png"
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x64", "-frames:v", "1", str(picture))
    png = picture.read_bytes()
    frame = b"\x00image/png\x00\x03\x00" + png
    tag = b"APIC" + struct.pack(">IH", len(frame), 0) + frame
    size = bytes((len(tag) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    (folder / "tag.mp3").write_bytes(b"ID3\x03\x00\x00" + size + tag)
    (folder / "picture.mp3").write_bytes(png)
    ffmpeg("-i", str(picture), "-c:v", "mjpeg", str(folder / "cover.mp4"))
    for name in ("tag.mp3", "picture.mp3", "cover.mp4"):
        assert refusal(client, folder / name) == (415, "not_audio"), name


def test_a_film_without_sound_is_not_audio(client: httpx.Client, folder: Path) -> None:
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc=size=64x64:rate=5:duration=10", "-c:v", "mpeg4", str(folder / "m.mp4")
    )
    assert refusal(client, folder / "m.mp4") == (415, "not_audio")


@pytest.mark.parametrize("suffix", ["mp3", "flac", "m4a", "ogg", "wav"])
def test_damage_in_the_middle_is_refused_or_measured_but_never_a_fault_of_ours(
    client: httpx.Client, folder: Path, write: Write, suffix: str
) -> None:
    content = bytearray(write(f"whole.{suffix}", house_loop(seconds=20)).read_bytes())
    rng = np.random.default_rng(2)
    for start in rng.integers(0, len(content), 40):
        content[start : start + 50] = rng.bytes(len(content[start : start + 50]))
    (folder / f"damaged.{suffix}").write_bytes(content)
    status, body = ask(client, folder / f"damaged.{suffix}")
    assert status == 200 or body["code"] in ("file_unreadable", "not_audio"), body


def test_three_hours_are_refused_at_once_where_the_setting_says_so(
    client: httpx.Client, folder: Path, write: Write
) -> None:
    short = write("a.wav", np.zeros(SAMPLE_RATE // 10, dtype=np.float32), "-ar", "8000", "-c:a", "pcm_u8")
    long = folder / "long.flac"
    ffmpeg("-stream_loop", "-1", "-i", str(short), "-t", str(3 * 3600), str(long))
    assert refusal(client, long) == (422, "too_long")
