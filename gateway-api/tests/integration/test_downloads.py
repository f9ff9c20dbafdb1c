"""What a download is asked for, what the worker is told, and what comes of a finished one."""

import random
from pathlib import Path
from typing import Any

import pytest


def tune(seed: int) -> list[int]:
    chance = random.Random(seed)
    return [chance.getrandbits(32) for _ in range(900)]


ITEMS = tune(7)


async def ask(gateway: Any, body: dict[str, Any], track_id: str = "1-A1") -> dict[str, Any]:
    answer = await gateway.http.post(f"/api/tracks/{track_id}/download", json=body)
    assert answer.status_code == 202, answer.text
    return dict((await gateway.worker.post(f"/internal/jobs/{answer.json()['id']}/claim")).json())


async def attach(gateway: Any, track_id: str, items: list[int], seconds: float = 300, **done: Any) -> Any:
    claim = await ask(gateway, {"url": "https://example.org/a.mp3"}, track_id)
    outcome = {
        "kind": "download",
        "audio_path": f"dj/{track_id}/a.mp3",
        "duration_seconds": seconds,
        "source_url": "https://example.org/a.mp3",
        "fingerprint": {"items": items, "duration_seconds": seconds} if items else None,
        **done,
    }
    body = {"attempt": claim["attempt"], "outcome": outcome}
    answer = await gateway.worker.post(f"/internal/jobs/{claim['id']}/complete", json=body)
    assert answer.status_code == 204, answer.text
    return await gateway.get(f"/api/jobs/{claim['id']}")


def made(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_bytes(b"audio")
    return path


async def matches(gateway: Any, items: list[int], seconds: float = 300, track_id: str = "new") -> list[str]:
    question = {
        "username": "dj",
        "track_id": track_id,
        "fingerprint": {"items": items, "duration_seconds": seconds},
    }
    answer = await gateway.worker.post("/internal/fingerprints/match", json=question)
    assert answer.status_code == 200, answer.text
    return [one["track_id"] for one in answer.json()["matches"]]


def noisy(items: list[int], share: float) -> list[int]:
    """As another encoder would make them: some bits are different."""
    chance = random.Random(3)
    return [item ^ sum(1 << bit for bit in range(32) if chance.random() < share) for item in items]


async def test_the_worker_is_told_what_is_known_of_the_track(gateway: Any) -> None:
    await gateway.add_track(
        track_id="1-A1",
        artist="Rhythim Is Rhythim",
        duration_seconds=441,
        youtube_url="https://www.youtube.com/watch?v=1",
        apple_music_url="https://music.apple.com/us/song/1",
    )
    claim = await ask(gateway, {})
    assert claim["payload"]["sources"] == ["gamdl", "yt-dlp", "search"]
    wanted = claim["wanted"]
    assert (wanted["title"], wanted["artist"], wanted["duration_seconds"]) == (
        "Strings of Life",
        "Rhythim Is Rhythim",
        441,
    )
    assert wanted["links"] == ["https://music.apple.com/us/song/1", "https://www.youtube.com/watch?v=1"]


async def test_a_link_that_is_given_is_all_that_is_tried(gateway: Any) -> None:
    await gateway.add_track(track_id="1-A1")
    claim = await ask(gateway, {"url": "https://example.org/a.mp3"})
    assert claim["payload"] == {"kind": "download", "url": "https://example.org/a.mp3"}


async def test_preferences_are_a_collections_own_and_a_request_wins(gateway: Any) -> None:
    await gateway.add_track(track_id="1-A1")
    wishes = {"sources": ["search", "yt-dlp"], "format": "mp3", "write_tags": True}
    assert (await gateway.http.put("/api/downloads/preferences", json=wishes)).json() == wishes
    payload = (await ask(gateway, {"format": "flac", "write_tags": False}))["payload"]
    assert (payload["sources"], payload["format"], payload.get("write_tags")) == (
        ["search", "yt-dlp"],
        "flac",
        None,
    )
    await gateway.http.post("/api/friends", json={"username": "ana"})
    other = await gateway.get("/api/downloads/preferences", username="ana")
    assert other == {"sources": ["gamdl", "yt-dlp", "search"], "format": None, "write_tags": False}
    nobody = await gateway.http.put("/api/downloads/preferences", json=wishes, params={"username": "bob"})
    assert nobody.status_code == 404


@pytest.mark.parametrize(
    "body", [{"sources": ["napster"]}, {"format": "ogg"}, {"url": "ytsearch:x"}, {"x": 1}]
)
async def test_what_nobody_understands_is_refused(gateway: Any, body: dict[str, Any]) -> None:
    await gateway.add_track(track_id="1-A1")
    assert (await gateway.http.post("/api/tracks/1-A1/download", json=body)).status_code == 422


async def test_progress_is_shown_in_bytes_and_speed(gateway: Any) -> None:
    await gateway.add_track(track_id="1-A1")
    claim = await ask(gateway, {"url": "https://example.org/a.mp3"})
    report = {
        "attempt": 1,
        "progress": 40,
        "stage": "downloading",
        "bytes_done": 4 * 10**9,
        "bytes_total": 10**10,
        "bytes_per_second": 2.5e6,
    }
    await gateway.worker.post(f"/internal/jobs/{claim['id']}/progress", json=report)
    job = await gateway.get(f"/api/jobs/{claim['id']}")
    assert (job["bytes_done"], job["bytes_total"], job["bytes_per_second"]) == (4 * 10**9, 10**10, 2.5e6)


async def test_a_finished_download_is_not_analysed_again_by_the_first_scan(
    gateway: Any, eventually: Any
) -> None:
    await gateway.add_track(track_id="1-A1")
    file = made(gateway.services.audio.managed / "dj/1-A1/a.mp3")
    stat = file.lstat()
    job = await attach(gateway, "1-A1", [], size_bytes=stat.st_size, mtime_ns=stat.st_mtime_ns)
    assert job["returnvalue"]["size_bytes"] == 5
    scan = (await gateway.http.post("/api/scan", json={"path": str(file.parents[1])})).json()

    async def ended() -> Any:
        shown = await gateway.get(f"/api/jobs/{scan['id']}")
        return shown if shown["state"] == "completed" else None

    result = (await eventually(ended))["returnvalue"]
    assert (result["unchanged"], result["changed"], result["added"]) == (1, 0, 0)


async def test_a_recording_is_known_by_its_sound(gateway: Any) -> None:
    await gateway.add_track(track_id="1-A1")
    await attach(gateway, "1-A1", ITEMS)
    assert await matches(gateway, ITEMS) == ["1-A1"]
    assert await matches(gateway, noisy(ITEMS, 0.04), 302) == ["1-A1"]
    assert await matches(gateway, [0] * 30 + ITEMS[:-30]) == ["1-A1"]
    assert await matches(gateway, ITEMS, track_id="1-A1") == []
    assert await matches(gateway, ITEMS, 420) == []
    assert await matches(gateway, tune(8)) == []


async def test_a_steady_tone_sounds_like_nothing_in_particular(gateway: Any) -> None:
    await gateway.add_track(track_id="1-A1")
    tone = [11, 12, 13] * 300
    await attach(gateway, "1-A1", tone)
    assert await matches(gateway, tone) == []


async def test_tracks_with_the_same_recording_are_listed(gateway: Any) -> None:
    for track_id in ("1-A1", "2-B1", "3-C1"):
        await gateway.add_track(track_id=track_id)
    await attach(gateway, "1-A1", ITEMS)
    await attach(gateway, "2-B1", noisy(ITEMS, 0.02))
    found = (await gateway.get("/api/tracks/1-A1/duplicates"))["results"]
    assert [one["track_id"] for one in found] == ["2-B1"]
    assert found[0]["similarity"] > 0.9
    assert (await gateway.http.get("/api/tracks/3-C1/duplicates")).status_code == 404


async def test_the_sound_of_a_replaced_file_is_forgotten(gateway: Any) -> None:
    await gateway.add_track(track_id="1-A1")
    await attach(gateway, "1-A1", ITEMS)
    await attach(gateway, "1-A1", [])
    assert await matches(gateway, ITEMS) == []


async def test_an_upload_for_a_track_waits_for_its_job(gateway: Any) -> None:
    await gateway.add_track(track_id="1-A1")
    files = {"file": ("../x.MP3", b"\0audio")}
    answer = await gateway.http.post("/api/tracks/1-A1/audio", files=files)
    assert answer.status_code == 202, answer.text
    payload = (await gateway.worker.post(f"/internal/jobs/{answer.json()['id']}/claim")).json()["payload"]
    assert payload["sources"] == ["upload"]
    staged = gateway.services.audio.managed / payload["file"]
    assert staged.read_bytes() == b"\0audio"
    assert staged.parent == gateway.services.audio.managed / ".uploads"
    assert not (await gateway.get("/api/tracks/1-A1"))["has_audio"]


async def upload(gateway: Any, content: bytes) -> dict[str, Any]:
    answer = await gateway.http.post("/api/tracks/1-A1/audio", files={"file": ("mine.mp3", content)})
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


@pytest.mark.parametrize("claimed", [False, True])
async def test_an_upload_is_not_lost_to_a_download_that_is_asked_for_after_it(
    gateway: Any, claimed: bool
) -> None:
    await gateway.add_track(track_id="1-A1")
    job = await upload(gateway, b"\0an upload")
    if claimed:
        await gateway.worker.post(f"/internal/jobs/{job['id']}/claim")
    link = {"url": "https://example.org/a.mp3"}
    answer = await gateway.http.post("/api/tracks/1-A1/download", json=link)
    assert answer.json()["id"] == job["id"]
    assert answer.json()["data"] == job["data"]
    if claimed:
        failure = {"attempt": 1, "code": "disk_full", "detail": "No room.", "transient": True}
        await gateway.worker.post(f"/internal/jobs/{job['id']}/fail", json=failure)
    found = await gateway.get(f"/api/jobs/{job['id']}")
    assert found["data"] == job["data"]
    assert found["state"] == "waiting"


async def test_a_later_upload_takes_the_place_of_one_that_waits(gateway: Any) -> None:
    await gateway.add_track(track_id="1-A1")
    first, second = await upload(gateway, b"\0the wrong one"), await upload(gateway, b"\0the right one")
    assert first["id"] == second["id"]
    assert first["data"]["file"] != second["data"]["file"]


@pytest.mark.parametrize(
    ("track_id", "name", "content", "status"),
    [
        ("1-A1", "a.txt", b"x", 415),
        ("1-A1", "a.mp3", b"<html>", 415),
        ("1-A1", "a.mp3", b"", 422),
        ("9", "a.mp3", b"\0x", 404),
    ],
)
async def test_an_upload_that_is_refused_leaves_nothing(
    gateway: Any, track_id: str, name: str, content: bytes, status: int
) -> None:
    await gateway.add_track(track_id="1-A1")
    answer = await gateway.http.post(f"/api/tracks/{track_id}/audio", files={"file": (name, content)})
    assert answer.status_code == status
    assert not list((gateway.services.audio.managed / ".uploads").glob("*"))


async def test_a_file_of_the_machine_has_to_lie_in_its_folders(gateway: Any, tmp_path: Path) -> None:
    await gateway.add_track(track_id="1-A1")
    own = made(gateway.music / "a.mp3")
    others = made(gateway.services.audio.managed / "ana" / "a.mp3")
    outside = made(tmp_path / "outside.mp3")
    for path, status in ((own, 202), (others, 403), (outside, 403), (gateway.music / "no.mp3", 404)):
        answer = await gateway.http.post("/api/tracks/1-A1/download", json={"file": str(path)})
        assert answer.status_code == status, answer.text
