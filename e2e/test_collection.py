"""The main job through public ports: a folder with the good and the bad becomes a collection and a set."""

import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import redis

from standalone.crate import RECORDS
from standalone.crate.arrangement import render
from standalone.crate.files import encode, tag
from standalone.crate.instruments import RATE, Sound
from standalone.demo_report import key_agrees, tempo_agrees
from standalone.gateway import Gateway
from standalone.testing import eventually

GOOD = RECORDS[:3]
LONG_TITLE = "A " + "very " * 59 + "long"
BAD = ("corrupt.mp3", "truncated.flac", "empty.mp3", "a letter.mp3")


@dataclass
class Imported:
    folder: Path
    first: dict[str, Any]
    second: dict[str, Any]
    tracks: dict[str, dict[str, Any]]
    jobs: dict[str, dict[str, Any]]


def fill(folder: Path) -> None:
    sounds = {record: render(record) for record in GOOD}
    for record, sound in sounds.items():
        write(folder / f"{record.title}.{record.suffix}", sound, record.title, record)
    whole = (folder / f"{GOOD[0].title}.flac").read_bytes()
    short: Sound = sounds[GOOD[1]][: RATE * 8]
    (folder / "corrupt.mp3").write_bytes(os.urandom(60_000))
    (folder / "truncated.flac").write_bytes(whole[:3000])
    (folder / "empty.mp3").write_bytes(b"")
    (folder / "a letter.mp3").write_text("Dear DJ, this is no music.\n" * 50)
    write(folder / "silence.flac", np.zeros(RATE * 8, dtype=np.float32), "Silence")
    write(folder / "one second.mp3", sounds[GOOD[1]][:RATE], "One second")
    write(folder / "🎉 party “quotes” 'and' \"more\".mp3", short, "🎉 “Party” 'n' \"more\" 東京 привет")
    write(folder / "deep folder" / "long.flac", short, LONG_TITLE)
    (folder / "notes.txt").write_text("not audio, and not named as if")
    odd = os.fsencode(folder) + b"/latin-\xe9.mp3"
    with open(odd, "wb") as file:  # noqa: PTH123 - the name is bytes
        file.write((folder / "one second.mp3").read_bytes())


def write(path: Path, sound: Sound, title: str, record: Any = GOOD[1]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    encode(sound, path)
    tag(path, replace(record, title=title))


@pytest.fixture(scope="module")
def imported(gateway: Gateway, music: Path) -> Imported:
    folder = music / "e2e crate"
    folder.mkdir(exist_ok=True)
    fill(folder)
    first = gateway.scan(str(folder))
    gateway.await_jobs(seconds=120)
    second = gateway.scan(str(folder))
    tracks = {track["title"]: track for track in gateway.get("/api/tracks", limit=200)["tracks"]}
    jobs = {job["track_id"]: job for job in gateway.get("/api/jobs", limit=200)["jobs"] if job["track_id"]}
    return Imported(folder, first, second, tracks, jobs)


def job_of(imported: Imported, title: str) -> dict[str, Any]:
    return imported.jobs[imported.tracks[title]["track_id"]]


def test_the_scan_takes_every_file_named_as_audio(imported: Imported) -> None:
    assert imported.first["added"] >= len(GOOD) + len(BAD) + 4
    assert {record.title for record in GOOD} <= set(imported.tracks)


def test_a_second_scan_finds_nothing_new(imported: Imported) -> None:
    assert (imported.second["added"], imported.second["changed"]) == (0, 0)
    assert imported.second["unchanged"] == imported.first["added"]


@pytest.mark.parametrize("record", GOOD, ids=lambda record: record.title)
def test_tempo_and_key_are_what_they_are(imported: Imported, record: Any) -> None:
    track = imported.tracks[record.title]
    assert tempo_agrees(record, track["bpm"]), (track["bpm"], record.tempo_bpm)
    assert key_agrees(record, track["key"]), (track["key"], record.key)


@pytest.mark.parametrize("name", BAD)
def test_a_file_without_music_is_a_track_with_a_failed_job_that_says_why(
    imported: Imported, name: str
) -> None:
    job = next(job for job in imported.jobs.values() if str(job["data"]["audio_path"]).endswith(f"/{name}"))
    assert job["state"] == "failed"
    assert job["failedReason"].endswith(".")
    assert len(job["failedReason"].split()) > 4
    assert job["track_id"] in {track["track_id"] for track in imported.tracks.values()}


@pytest.mark.parametrize("title", ["Silence", "One second"])
def test_silence_and_a_second_of_sound_get_no_invented_tempo_or_key(imported: Imported, title: str) -> None:
    assert job_of(imported, title)["state"] == "completed"
    assert (imported.tracks[title]["bpm"], imported.tracks[title]["key"]) == (None, None)


def test_names_in_any_script_and_of_any_length_are_kept(imported: Imported) -> None:
    assert "🎉 “Party” 'n' \"more\" 東京 привет" in imported.tracks
    assert LONG_TITLE in imported.tracks


def test_a_name_that_is_not_utf8_is_taken_or_named_among_the_passed_over(imported: Imported) -> None:
    passed_over = imported.first["passed_over"]
    assert any("latin-" in entry["path"] and entry["reason"] for entry in passed_over)


def test_a_typo_finds_the_track(gateway: Gateway, imported: Imported) -> None:
    hits = gateway.get("/api/tracks/search", q="Velvte Aley")["hits"]
    assert hits[0]["title"] == "Velvet Alley"


def test_a_set_is_built_saved_and_exported_with_the_paths_of_the_files(
    gateway: Gateway, imported: Imported
) -> None:
    ids = [imported.tracks[record.title]["track_id"] for record in GOOD]
    built = gateway.post("/api/sets", {"track_ids": ids})
    order = [track["track_id"] for track in built["tracks"]]
    assert sorted(order) == sorted(ids)
    assert len(built["transitions"]) == len(ids) - 1
    assert built["score"] >= built["input_score"]
    playlist = gateway.post("/api/playlists", {"name": "e2e", "track_ids": order})
    text = gateway.text(f"/api/playlists/{playlist['id']}/export", format="m3u8")
    paths = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert len(paths) == len(ids)
    assert all(Path(path).is_file() for path in paths)
    gateway.delete(f"/api/playlists/{playlist['id']}")


def test_audio_streams_in_ranges(http: httpx.Client, imported: Imported) -> None:
    url = imported.tracks[GOOD[0].title]["local_audio_url"]
    answer = http.get("/api/audio", params={"filename": url}, headers={"Range": "bytes=-500"})
    assert answer.status_code == 206
    assert answer.content == (imported.folder / f"{GOOD[0].title}.flac").read_bytes()[-500:]


def test_no_path_leaves_the_audio_folders(http: httpx.Client, imported: Imported) -> None:
    for path in ("../../etc/passwd", "/etc/passwd", f"{imported.folder}/../../data/service-token"):
        assert http.get("/api/audio", params={"filename": path}).status_code in (403, 404, 422)
    assert http.post("/api/scan", json={"path": "/etc"}).status_code == 403


def test_progress_of_a_job_is_seen_within_a_second(http: httpx.Client, imported: Imported) -> None:
    track_id = imported.tracks[GOOD[2].title]["track_id"]
    with http.stream("GET", "/api/jobs/events", timeout=30) as events:
        lines = events.iter_lines()
        job = http.post(f"/api/tracks/{track_id}/analyze").json()
        seen = states(lines, job["id"])
        assert next(seen) in ("waiting", "active")
        assert any(state == "completed" for state in seen)
    assert eventually(lambda: http.get(f"/api/jobs/{job['id']}").json()["state"] == "completed")


def states(lines: Iterator[str], job_id: str) -> Iterator[str]:
    for line in lines:
        if line.startswith("data:"):
            event = json.loads(line.removeprefix("data:"))
            if event["job_id"] == job_id:
                yield event["state"]


def test_a_raw_push_onto_redis_is_answered_where_older_readers_look(redis_url: str) -> None:
    push = {"job_id": f"old-{uuid.uuid4().hex}", "job_type": "download", "track_id": "777"}
    link = {"youtube_url": "http://127.0.0.1:9/not-a-public-address.mp3"}
    with redis.Redis.from_url(redis_url, decode_responses=True) as queue:
        queue.lpush("download_queue", json.dumps(push | link))
        shown = f"job:{push['job_id']}"
        assert eventually(lambda: queue.hget(shown, "status") == "failed", seconds=60)
        assert queue.hget(shown, "error")
