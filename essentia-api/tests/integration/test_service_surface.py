"""What the service says of itself, the picture it draws, and that it answers while it is full."""

import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from essentia_api.decode import SAMPLE_RATE
from essentia_api.main import create_app
from essentia_api.measure.engine import ENGINE_VERSION
from essentia_api.requests import sweep_scratch
from essentia_api.settings import Settings
from essentia_api.testing import Write, house_loop, serving

_UPLOAD_THAT_STOPS = (
    b"POST /analyze HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    b"Content-Length: 100000000\r\n\r\n--b\r\n"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("audio")


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[httpx.Client]:
    models = folder / "models"
    models.mkdir()
    for name in ("mood_happy-discogs-effnet-1.pb", "notes.txt", "other.onnx"):
        (models / name).write_bytes(b"x")
    settings = Settings(audio_dir=folder, models_dir=models, analysis_workers=1, analysis_waiting=1)
    with serving(create_app(settings)) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def measured(client: httpx.Client) -> dict[str, float]:
    families = text_string_to_metric_families(client.get("/metrics").text)
    samples = [sample for family in families for sample in family.samples]
    return {
        sample.name
        + "".join(f"[{value}]" for name, value in sample.labels.items() if name == "outcome"): sample.value
        for sample in samples
    }


def unpacked(png: bytes) -> NDArray[np.uint8]:
    """The number of each pixel's colour; 0 is what can be seen through."""
    with Image.open(BytesIO(png)) as image:
        image.verify()
    with Image.open(BytesIO(png)) as image:
        assert (image.mode, image.info["transparency"]) == ("P", 0)
        return np.array(image)


def test_a_waveform_is_drawn_as_wide_and_high_as_asked(
    client: httpx.Client, folder: Path, write: Write
) -> None:
    samples = house_loop(seconds=12)
    samples[len(samples) // 2 :] *= np.float32(0.1)
    write("loop.mp3", samples).rename(folder / "loop.mp3")
    answer = client.post("/waveform.png?width=400&height=80", json={"filename": "loop.mp3"})
    assert answer.headers["content-type"] == "image/png"
    pixels = unpacked(answer.content)
    assert pixels.shape == (80, 400)
    assert set(np.unique(pixels)) == {0, 1, 2, 3}
    assert np.array_equal(pixels, pixels[::-1])
    drawn = (pixels > 0).sum(axis=0)
    assert drawn[:190].mean() > 2 * drawn[210:].mean()
    assert client.post("/waveform.png?width=5", json={"filename": "loop.mp3"}).status_code == 422


def test_silence_is_drawn_as_a_line(client: httpx.Client, folder: Path, write: Write) -> None:
    write("silence.wav", np.zeros(44_100, dtype=np.float32)).rename(folder / "silence.wav")
    pixels = unpacked(client.post("/waveform.png", json={"filename": "silence.wav"}).content)
    assert (pixels > 0).any(axis=1).sum() == 2
    assert (pixels > 0).any(axis=0).all()


def test_models_are_named_and_those_that_cannot_run_are_called_so(client: httpx.Client) -> None:
    body = client.get("/models").json()
    assert body["engine_version"] == ENGINE_VERSION
    assert "vibenet" in body["parts"]["moods"]
    assert set(body["parts"]) == set(
        client.get("/openapi.json").json()["components"]["schemas"]["Part"]["enum"]
    )
    mounted = {model["file"]: model for model in body["mounted"]}
    assert set(mounted) == {"mood_happy-discogs-effnet-1.pb", "other.onnx"}
    assert not mounted["mood_happy-discogs-effnet-1.pb"]["used"]
    assert "TensorFlow form" in mounted["mood_happy-discogs-effnet-1.pb"]["reason"]


def test_metrics_count_how_requests_end(client: httpx.Client, folder: Path, write: Write) -> None:
    write("short.wav", house_loop(seconds=6)).rename(folder / "short.wav")
    (folder / "text.mp3").write_text("Dear diary. " * 500)
    before = measured(client)
    for name in ("short.wav", "text.mp3", "gone.mp3"):
        client.post("/analyze", json={"filename": name, "want": ["loudness"]})
    client.post("/waveform.png?width=0", json={"filename": "short.wav"})
    after = measured(client)
    for outcome in ("done", "not_audio", "file_missing", "malformed"):
        name = f"dj_analysis_requests_total[{outcome}]"
        assert after[name] - before.get(name, 0) == 1
    assert after["dj_analysis_audio_seconds_total"] - before["dj_analysis_audio_seconds_total"] == 6
    assert after["dj_analysis_places"] == 2
    assert after["dj_analysis_places_taken"] == 0
    assert after["process_resident_memory_bytes"] > 0


def test_a_full_house_answers_health_and_turns_others_away(
    client: httpx.Client, folder: Path, write: Write
) -> None:
    write("long.flac", np.tile(house_loop(seconds=30), 8)).rename(folder / "long.flac")
    answers: list[int] = []

    def ask() -> None:
        answers.append(client.post("/analyze", json={"filename": "long.flac"}).status_code)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 10
    while client.get("/ready").status_code == 200 and time.monotonic() < deadline:
        assert client.get("/health").status_code == 200
    refused = client.post("/analyze", json={"filename": "long.flac"})
    assert (refused.status_code, refused.json()["code"]) == (503, "busy")
    assert refused.headers["Retry-After"] == "5"
    # An upload is turned away by its headers: the rest of this one is never sent.
    with socket.create_connection((client.base_url.host, client.base_url.port or 80), timeout=10) as line:
        line.sendall(_UPLOAD_THAT_STOPS)
        assert line.recv(12) == b"HTTP/1.1 503"
    assert client.get("/ready").json()["checks"]["queue"] == "full"
    assert client.get("/health").json()["status"] == "ok"
    assert measured(client)["dj_analysis_places_taken"] == 2
    for thread in threads:
        thread.join()
    assert answers == [200, 200]


def test_what_nobody_waits_for_any_more_is_not_measured(
    client: httpx.Client, folder: Path, write: Write
) -> None:
    an_hour = ("-af", f"aloop=119:{30 * SAMPLE_RATE}", "-ar", "8000")
    write("hour.wav", house_loop(seconds=30), *an_hour).rename(folder / "hour.wav")
    before = measured(client).get("dj_analysis_requests_total[cancelled]", 0)
    for _ in range(2):  # one that is measured, and one that waits
        with pytest.raises(httpx.ReadTimeout):
            client.post("/analyze", json={"filename": "hour.wav"}, timeout=0.2)
    deadline = time.monotonic() + 10
    while measured(client).get("dj_analysis_requests_total[cancelled]", 0) < before + 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert measured(client)["dj_analysis_places_taken"] == 0
    (folder / "hour.wav").unlink()


def test_an_upload_that_stops_gives_its_place_back(folder: Path) -> None:
    settings = Settings(audio_dir=folder, analysis_workers=1, fetch_timeout_seconds=0.2)
    with serving(create_app(settings)) as url, httpx.Client(base_url=url, timeout=60) as client:
        address = (client.base_url.host, client.base_url.port or 80)
        with socket.create_connection(address, timeout=10) as line:
            line.sendall(_UPLOAD_THAT_STOPS)
            assert line.recv(12) == b"HTTP/1.1 408"
        assert measured(client)["dj_analysis_places_taken"] == 0


def test_what_a_killed_service_left_behind_is_swept_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    old, fresh, foreign = (tmp_path / name for name in ("dj-analysis-a", "dj-analysis-b", "other"))
    for path in (old, fresh, foreign):
        path.write_bytes(b"x")
    for path in (old, foreign):
        os.utime(path, (0, 0))
    sweep_scratch()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dj-analysis-b", "other"]
