"""A scan of a folder as it really is: names in every script, broken files, links, changes."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

Scan = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def scan(gateway: Any, eventually: Callable[..., Any]) -> Scan:
    async def run(path: Path | None = None) -> dict[str, Any]:
        answer = await gateway.http.post("/api/scan", json={"path": str(path or gateway.music)})
        assert answer.status_code == 202, answer.text
        job_id = answer.json()["id"]

        async def ended() -> Any:
            job = await gateway.get(f"/api/jobs/{job_id}")
            return job if job["state"] in ("completed", "failed") else None

        return dict(await eventually(ended))

    return run


async def test_every_file_becomes_a_track_whatever_is_in_it(gateway: Any, scan: Scan) -> None:
    for name in ("Ana - Sun.mp3", "текст.flac", "'quoted' \"twice\".wav", "🔥.m4a", "x" * 240 + ".mp3"):
        (gateway.music / name).write_bytes(b"this is not audio")
    (gateway.music / "empty.mp3").touch()
    (gateway.music / "cover.jpg").write_bytes(b"x")
    (gateway.music / "._Ana - Sun.mp3").write_bytes(b"x")
    job = await scan()
    assert (job["state"], job["progress"]) == ("completed", 100)
    assert job["returnvalue"]["added"] == 6
    tracks = (await gateway.get("/api/tracks"))["tracks"]
    assert {t["title"] for t in tracks} >= {"Sun", "текст", "🔥", "empty"}
    assert next(t for t in tracks if t["title"] == "Sun")["artist"] == "Ana"
    jobs = await gateway.get("/api/jobs", state="waiting")
    assert len(jobs["jobs"]) == 6


async def test_a_second_scan_does_only_what_is_new_or_changed(gateway: Any, scan: Scan) -> None:
    (gateway.music / "one.mp3").write_bytes(b"1")
    (gateway.music / "two.mp3").write_bytes(b"2")
    await scan()
    (gateway.music / "two.mp3").write_bytes(b"changed")
    (gateway.music / "three.mp3").write_bytes(b"3")
    result = (await scan())["returnvalue"]
    assert (result["found"], result["added"], result["changed"], result["unchanged"]) == (3, 1, 1, 1)
    assert (await scan())["returnvalue"]["unchanged"] == 3


async def test_a_name_that_is_not_utf8_is_passed_over_with_a_reason(gateway: Any, scan: Scan) -> None:
    (gateway.music / os.fsdecode(b"bad\xff.mp3")).write_bytes(b"x")
    result = (await scan())["returnvalue"]
    assert result["added"] == 0
    assert result["passed_over"] == [
        {
            "path": f"{gateway.music}/bad\\xff.mp3",
            "reason": "Its name is not valid UTF-8. Rename it and scan again.",
        }
    ]


async def test_a_link_that_leads_out_is_passed_over(gateway: Any, scan: Scan, tmp_path: Path) -> None:
    (tmp_path / "secret.mp3").write_bytes(b"x")
    (gateway.music / "link.mp3").symlink_to(tmp_path / "secret.mp3")
    result = (await scan())["returnvalue"]
    assert (result["added"], len(result["passed_over"])) == (0, 1)


async def test_what_is_not_there_any_more_is_named_and_stays(gateway: Any, scan: Scan) -> None:
    other = gateway.music / "other"
    other.mkdir()
    for path in (gateway.music / "one.mp3", gateway.music / "two.mp3", other / "three.mp3"):
        path.write_bytes(path.name.encode())
    await scan()
    (gateway.music / "one.mp3").unlink()
    (gateway.music / "two.mp3").rename(gateway.music / "2.mp3")
    result = (await scan())["returnvalue"]
    assert (result["added"], result["missing"]) == (1, 2)
    gone = [file["path"] for file in result["missing_files"]]
    assert gone == [f"{gateway.music}/one.mp3", f"{gateway.music}/two.mp3"]
    assert len((await gateway.get("/api/tracks"))["tracks"]) == 4
    job = (await gateway.http.post("/api/scan", json={"path": str(other)})).json()
    while job["state"] not in ("completed", "failed"):
        job = await gateway.get(f"/api/jobs/{job['id']}")
    assert job["returnvalue"]["missing"] == 0


@pytest.mark.parametrize("path", ["/etc", "/", "{music}/../", "\x00"])
async def test_a_folder_outside_the_music_folders_is_refused(gateway: Any, path: str) -> None:
    answer = await gateway.http.post("/api/scan", json={"path": path.format(music=gateway.music)})
    assert answer.status_code in (403, 404)


async def test_a_deleted_track_is_not_brought_back_by_a_scan(gateway: Any, scan: Scan) -> None:
    (gateway.music / "one.mp3").write_bytes(b"1")
    await scan()
    track = (await gateway.get("/api/tracks"))["tracks"][0]
    await gateway.http.delete(f"/api/tracks/{track['track_id']}")
    assert (await scan())["returnvalue"]["in_trash"] == 1
    assert (await gateway.get("/api/tracks"))["tracks"] == []


async def test_what_a_person_edited_survives_a_changed_file(gateway: Any, scan: Scan) -> None:
    (gateway.music / "one.mp3").write_bytes(b"1")
    await scan()
    track_id = (await gateway.get("/api/tracks"))["tracks"][0]["track_id"]
    await gateway.http.patch(f"/api/tracks/{track_id}", json={"title": "Renamed by me"})
    (gateway.music / "one.mp3").write_bytes(b"other")
    await scan()
    assert (await gateway.get(f"/api/tracks/{track_id}"))["title"] == "Renamed by me"


async def test_asking_twice_for_one_folder_is_one_scan(gateway: Any, scan: Scan) -> None:
    for number in range(300):
        (gateway.music / f"{number}.mp3").touch()
    first, second = [
        (await gateway.http.post("/api/scan", json={"path": str(gateway.music)})).json() for _ in range(2)
    ]
    assert first["id"] == second["id"]


async def test_a_scan_of_the_audio_folder_reaches_no_other_collections_files(
    gateway: Any, scan: Scan
) -> None:
    await gateway.http.post("/api/friends", json={"username": "ana"})
    await gateway.http.post(
        "/api/upload", params={"username": "ana"}, files={"file": ("hers.mp3", b"\0private")}
    )
    managed = gateway.services.audio.managed
    for folder in (managed, managed / "ana"):
        answer = await gateway.http.post("/api/scan", json={"path": str(folder)})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert (await gateway.get("/api/tracks"))["tracks"] == []


async def test_a_scan_does_not_undo_a_download(gateway: Any, scan: Scan) -> None:
    (gateway.music / "one.mp3").write_bytes(b"1")
    await scan()
    track_id = (await gateway.get("/api/tracks"))["tracks"][0]["track_id"]
    link = {"url": "https://example.org/a.mp3"}
    job = (await gateway.http.post(f"/api/tracks/{track_id}/download", json=link)).json()
    claim = (await gateway.worker.post(f"/internal/jobs/{job['id']}/claim")).json()
    outcome = {
        "kind": "download",
        "audio_path": f"dj/{track_id}/a.mp3",
        "duration_seconds": 60,
        "source_url": link["url"],
    }
    done = {"attempt": claim["attempt"], "outcome": outcome}
    assert (await gateway.worker.post(f"/internal/jobs/{job['id']}/complete", json=done)).status_code == 204
    assert (await scan())["returnvalue"]["unchanged"] == 1
    assert (await gateway.get(f"/api/tracks/{track_id}"))["local_audio_url"] == outcome["audio_path"]
