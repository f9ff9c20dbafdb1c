"""``POST /analyze`` with real files, real ffmpeg, real Essentia and the real process pool."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from dj_contracts.analysis import AnalysisResult
from dj_contracts.examples import read_example
from essentia_api.main import create_app
from essentia_api.settings import Settings
from essentia_api.testing import Write, house_loop, serving


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return tmp_path_factory.mktemp("audio"), tmp_path_factory.mktemp("music, ünïcode")


@pytest.fixture(scope="module")
def client(folders: tuple[Path, Path]) -> Iterator[httpx.Client]:
    audio, music = folders
    settings = Settings(
        audio_dir=audio, music_dirs=str(music), analysis_workers=1, max_upload_bytes=20_000_000,
        max_duration_seconds=60,
    )  # fmt: skip
    with serving(create_app(settings)) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def ask(client: httpx.Client, filename: str) -> tuple[int, dict[str, Any]]:
    answer = client.post("/analyze", json={"filename": filename})
    return answer.status_code, answer.json()


def refused(client: httpx.Client, filename: str) -> tuple[int, str]:
    status, body = ask(client, filename)
    assert body["error"] == body["detail"]
    assert body["detail"].endswith(".")
    return status, body["code"]


def shape(value: Any) -> Any:
    """The names in a message, whatever their values."""
    return {name: shape(item) for name, item in value.items()} if isinstance(value, dict) else None


def test_a_track_gets_its_tempo_key_and_the_fields_of_older_callers(
    client: httpx.Client, folders: tuple[Path, Path], write: Write
) -> None:
    samples = house_loop(bpm=126.5, tonic=9, mode="minor")
    path = write('it\'s "night"\n🌙.mp3', samples, "-b:a", "192k").rename(
        folders[1] / 'it\'s "night"\n🌙.mp3'
    )
    status, body = ask(client, str(path))
    assert status == 200
    assert body["tempo"]["bpm"] == pytest.approx(126.5, abs=0.05)
    assert body["key"]["name"] == "A minor"
    assert body["key"]["camelot"] == "8A"
    assert body["duration_seconds"] == pytest.approx(30, abs=0.1)
    assert body["rhythm"]["bpm"] == body["tempo"]["bpm"]
    assert body["rhythm"]["danceability"] == body["danceability"]
    assert body["tonal"]["key_edma"]["key"] == "A"
    assert body["tonal"]["key_edma"]["scale"] == "minor"
    assert body["metadata"]["audio_properties"]["length"] == body["duration_seconds"]
    assert shape(body) == shape(read_example("analysis-answer"))
    assert body["highlevel"]["mood_happy"]["all"]["happy"] == body["moods"]["happy"]
    assert len(body["embedding"]["vector"]) == 256
    assert body["sections"]
    assert -40 < body["loudness"]["integrated_lufs"] < 0
    assert AnalysisResult.model_validate(body).engine_version


def test_an_upload_is_measured_like_a_file(client: httpx.Client, write: Write) -> None:
    path = write("loop.flac", house_loop(seconds=12))
    answer = client.post("/analyze", files={"file": ("loop.flac", path.read_bytes())})
    assert answer.status_code == 200
    assert answer.json()["key"]["name"] == "A minor"


def test_a_part_can_be_asked_for(client: httpx.Client, folders: tuple[Path, Path], write: Write) -> None:
    path = write("part.wav", house_loop(seconds=12)).rename(folders[0] / "part.wav")
    named = client.post("/analyze", json={"filename": "part.wav", "want": ["key"]}).json()
    upload = {"file": ("part.wav", path.read_bytes())}
    uploaded = client.post("/analyze", files=upload, data={"want": "key,tempo"}).json()
    assert (named["key"]["name"], named["tempo"]["bpm"], named["moods"]) == ("A minor", None, {})
    assert uploaded["tempo"]["bpm"] == pytest.approx(124, abs=0.1)
    assert uploaded["waveform"] is None
    unknown = client.post("/analyze", json={"filename": "part.wav", "want": ["taste"]})
    assert unknown.status_code == 422
    assert "want" in unknown.json()["detail"]
    assert client.post("/analyze", files=upload, data={"want": "taste"}).status_code == 422


@pytest.mark.parametrize("seconds", [1, 8])
def test_silence_has_no_tempo_and_no_key(
    client: httpx.Client, folders: tuple[Path, Path], write: Write, seconds: int
) -> None:
    write("silence.wav", np.zeros(44_100 * seconds, dtype=np.float32)).rename(folders[0] / "silence.wav")
    status, body = ask(client, "silence.wav")
    assert status == 200
    assert body["tempo"]["bpm"] is None
    assert body["key"]["name"] is None
    assert body["loudness"]["integrated_lufs"] is None
    assert body["rhythm"]["bpm"] is None


def test_a_second_of_music_has_no_tempo_and_no_key(
    client: httpx.Client, folders: tuple[Path, Path], write: Write
) -> None:
    write("short.wav", house_loop(seconds=1)).rename(folders[0] / "short.wav")
    status, body = ask(client, "short.wav")
    assert (status, body["tempo"]["bpm"], body["key"]["name"]) == (200, None, None)


def test_what_is_not_music_is_refused_with_a_code(
    client: httpx.Client, folders: tuple[Path, Path], write: Write
) -> None:
    audio = folders[0]
    (audio / "text.mp3").write_text("Dear diary, this is not a song. " * 200)
    (audio / "empty.mp3").write_bytes(b"")
    (audio / "noise.mp3").write_bytes(np.random.default_rng(3).bytes(100_000))
    (audio / "list.mp3").write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1/a.mp3\n"
    )
    assert refused(client, "text.mp3") == (415, "not_audio")
    assert refused(client, "empty.mp3") == (422, "file_empty")
    assert refused(client, "noise.mp3")[1] in ("not_audio", "file_unreadable")
    assert refused(client, "list.mp3") == (415, "not_audio")
    assert refused(client, "gone.mp3") == (404, "file_missing")


@pytest.mark.parametrize("suffix", ["mp3", "flac", "m4a", "wav"])
def test_a_file_that_breaks_off_is_refused(
    client: httpx.Client, folders: tuple[Path, Path], write: Write, suffix: str
) -> None:
    whole = write(f"whole.{suffix}", house_loop(seconds=20)).read_bytes()
    (folders[0] / f"half.{suffix}").write_bytes(whole[: len(whole) // 2])
    assert refused(client, f"half.{suffix}")[1] in ("file_unreadable", "not_audio")


def test_a_long_recording_is_refused_by_setting(
    client: httpx.Client, folders: tuple[Path, Path], write: Write
) -> None:
    write("long.mp3", np.zeros(44_100 * 62, dtype=np.float32)).rename(folders[0] / "long.mp3")
    assert refused(client, "long.mp3") == (422, "too_long")


def test_no_path_leaves_the_folders(client: httpx.Client, folders: tuple[Path, Path], tmp_path: Path) -> None:
    outside = tmp_path / "secret.wav"
    outside.write_bytes(b"x")
    (folders[0] / "link.wav").symlink_to(outside)
    for name in (str(outside), "../secret.wav", "/etc/passwd", "link.wav", "a/../../../etc/passwd"):
        assert refused(client, name) == (403, "forbidden")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"filename": 5}', b'{"filename": ""}', b'{"filename": "a\\u0000b"}']
)
def test_a_malformed_request_is_422(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/analyze", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")


def test_an_upload_may_write_its_type_in_capitals(client: httpx.Client) -> None:
    form = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp3"\r\n\r\n\r\n--b--\r\n'
    kind = {"content-type": "Multipart/Form-Data; boundary=b"}
    assert client.post("/analyze", content=form, headers=kind).json()["code"] == "file_empty"


def test_a_file_sent_as_if_it_were_json_is_told_where_it_belongs(client: httpx.Client) -> None:
    answer = client.post("/analyze", content=bytes(200_000), headers={"content-type": "audio/mpeg"})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert "form field" in answer.json()["detail"]


def test_an_upload_that_is_too_large_is_413(client: httpx.Client) -> None:
    answer = client.post("/analyze", files={"file": ("big.wav", bytes(20_100_000))})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_the_same_sound_in_any_shape_gets_the_same_answer(
    client: httpx.Client, folders: tuple[Path, Path], write: Write
) -> None:
    mono = house_loop(bpm=123.4, tonic=6, mode="minor")
    stereo = np.stack([mono, mono], axis=1)
    shapes = {
        "a.mp3": (mono, ()),
        "b.m4a": (stereo, ()),
        "c.ogg": (stereo, ()),
        "d.wav": (mono, ("-ar", "22050")),
        "e.wav": (mono * 10 ** (-35 / 20), ()),
        "f.wav": (np.stack([mono, -mono], axis=1), ()),
        "g.wav": (np.stack([mono] * 6, axis=1), ()),
        "h.wav": (mono * 0.5 + 0.3, ()),
        "i.wav": (np.clip(mono * 4, -1, 1), ()),
    }
    for name, (samples, arguments) in shapes.items():
        write(name, samples, *arguments).rename(folders[0] / name)
        _, body = ask(client, name)
        assert body["tempo"]["bpm"] == pytest.approx(123.4, abs=0.05), name
        assert body["key"]["name"] == "F# minor", name


def test_health_and_readiness(client: httpx.Client) -> None:
    assert client.get("/health").json()["status"] == "ok"
    assert client.get("/ready").json()["checks"] == {"queue": "ok", "ffmpeg": "ok"}
    assert client.get("/openapi.json").json()["paths"]["/analyze"]["post"]["requestBody"]["required"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX")
def test_a_cover_picture_alone_is_not_audio(client: httpx.Client, folders: tuple[Path, Path]) -> None:
    (folders[0] / "cover.mp3").write_bytes(b"ID3\x03\x00\x00\x00\x00\x00\x00" + b"\x89PNG\r\n" * 100)
    assert refused(client, "cover.mp3")[0] in (415, 422)
