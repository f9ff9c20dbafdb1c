"""One recording under several names and in several codecs, from a file to a track that has it."""

import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import imageio_ffmpeg
import pytest

from standalone.crate import RECORDS
from standalone.crate.arrangement import render
from standalone.crate.files import encode
from standalone.testing import eventually

# Other records than test_collection puts into the same collection, where a second one would be a duplicate.
OWN, OTHER = RECORDS[4], RECORDS[5]


@pytest.fixture(scope="module")
def folder(music: Path) -> Iterator[Path]:
    """Two records, the first of them in two more codecs."""
    made = music / f"recordings {uuid.uuid4().hex[:8]}"
    made.mkdir()
    for record in (OWN, OTHER):
        encode(render(record), made / f"{record.title}.flac")
    for suffix in ("mp3", "opus"):
        words = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(made / f"{OWN.title}.flac")]
        subprocess.run([*words, "-b:a", "96k", str(made / f"own.{suffix}")], check=True, timeout=120)
    yield made
    shutil.rmtree(made)


def add_track(http: httpx.Client, title: str, **fields: Any) -> str:
    answer = http.post("/api/tracks", json={"title": title, "artist": "The Makers", **fields})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["track_id"])


def get_audio(http: httpx.Client, track_id: str, file: Path, **wishes: Any) -> dict[str, Any]:
    """The job as it ended."""
    answer = http.post(f"/api/tracks/{track_id}/download", json={"file": str(file), **wishes})
    assert answer.status_code == 202, answer.text
    return ended(http, answer.json()["id"])


def ended(http: httpx.Client, job_id: str) -> dict[str, Any]:
    job: dict[str, Any] = {}

    def over() -> bool:
        job.update(http.get(f"/api/jobs/{job_id}").json())
        return job["state"] in ("completed", "failed")

    assert eventually(over, seconds=90), job
    return job


def test_a_recording_is_known_again_in_another_codec(http: httpx.Client, folder: Path) -> None:
    name = f"Original {uuid.uuid4().hex[:6]}"
    first = add_track(http, name)
    done = get_audio(http, first, folder / f"{OWN.title}.flac")
    assert (done["state"], done["returnvalue"]["lossless"]) == ("completed", True), done

    renamed = get_audio(http, add_track(http, "Another name"), folder / "own.mp3")
    assert (renamed["state"], renamed["error_code"]) == ("failed", "duplicate_audio"), renamed
    assert name in renamed["failedReason"]

    same_name = add_track(http, f"{name} (Original Mix)")
    assert get_audio(http, same_name, folder / "own.opus")["state"] == "completed"
    found = http.get(f"/api/tracks/{first}/duplicates").json()["results"]
    assert same_name in [one["track_id"] for one in found]
    assert all(one["similarity"] > 0.7 for one in found)

    other = get_audio(http, add_track(http, "Yet another"), folder / f"{OTHER.title}.flac")
    assert other["state"] == "completed", other


def test_a_file_of_another_length_is_not_attached(http: httpx.Client, folder: Path) -> None:
    track_id = add_track(http, f"Long {uuid.uuid4().hex[:6]}", duration_seconds=3600)
    job = get_audio(http, track_id, folder / "own.mp3", allow_duplicate=True)
    assert (job["state"], job["error_code"]) == ("failed", "wrong_length")
    assert not http.get(f"/api/tracks/{track_id}").json()["has_audio"]


def test_an_upload_for_a_track_is_verified_before_it_is_attached(http: httpx.Client, folder: Path) -> None:
    track_id = add_track(http, f"Upload {uuid.uuid4().hex[:6]}")
    path = f"/api/tracks/{track_id}/audio"
    job = ended(http, http.post(path, files={"file": ("a.mp3", b"\0no music at all" * 99)}).json()["id"])
    assert (job["state"], job["error_code"]) == ("failed", "not_audio"), job
    assert not http.get(f"/api/tracks/{track_id}").json()["has_audio"]
