"""One recording under two ids: shown, merged, and a merge taken back, through the API."""

import random
from typing import Any

import psycopg
import pytest

from dj_contracts.analysis import AnalysisResult, Embedding, MeasuredKey, Tempo
from dj_contracts.downloads import Fingerprint
from gateway_api.db import transaction
from gateway_api.features.downloads.attaching import keep_fingerprint
from gateway_api.features.embeddings.usecases import keep_sound
from gateway_api.features.tracks import store as tracks_store
from gateway_api.features.tracks.models import MEASURED
from gateway_api.features.tracks.usecases import apply_analysis

LATE = AnalysisResult(
    engine_version="late", duration_seconds=441.0, tempo=Tempo(bpm=126), key=MeasuredKey(name="A minor")
)


async def measure(gateway: Any, track_id: str, result: AnalysisResult) -> None:
    async with transaction(gateway.services.db) as conn:
        await apply_analysis(conn, "dj", track_id, result)


@pytest.fixture
async def twins(gateway: Any) -> Any:
    """A record's track, rated and played, and a file of the same recording."""
    common = {"artist": "Rhythim Is Rhythim", "duration_seconds": 440}
    await gateway.add_track(track_id="disc", title="Strings of Life", star_rating=5, year=1987, **common)
    uploaded = (await gateway.http.post("/api/upload", files={"file": ("a.mp3", b"\0audio")})).json()
    fields = {
        "title": "Strings Of Life (Original Mix)",
        "artist": "RHYTHIM IS RHYTHIM",
        "duration_seconds": 441.5,
        "bpm": 123,
        "local_tags": ["peak"],
    }
    await gateway.http.patch(f"/api/tracks/{uploaded['track_id']}", json=fields)
    gateway.file = uploaded["track_id"]
    return gateway


async def merge(gateway: Any, keep: str, *drop: str) -> dict[str, Any]:
    answer = await gateway.http.post("/api/duplicates/merges", json={"keep": keep, "drop": drop})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def undo(gateway: Any, merge_id: int) -> dict[str, Any]:
    answer = await gateway.http.post(f"/api/duplicates/merges/{merge_id}/undo")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_one_recording_is_found_whatever_its_spelling(twins: Any) -> None:
    await twins.add_track(title="Strings of Life", artist="Rhythim Is Rhythim", duration_seconds=300)
    await twins.add_track(title="Strings of Life", artist="Soul Central", duration_seconds=440)
    groups = (await twins.get("/api/duplicates"))["groups"]
    assert [[t["track_id"] for t in group["tracks"]] for group in groups] == [[twins.file, "disc"]]
    assert "within 1.5 s" in groups[0]["reason"]


async def test_groups_come_in_pages(gateway: Any) -> None:
    for title in "abc":
        for _ in range(2):
            await gateway.add_track(title=title, artist="x")
    first = await gateway.get("/api/duplicates", limit=2)
    rest = await gateway.get("/api/duplicates", limit=2, after=first["next"])
    assert [len(first["groups"]), len(rest["groups"]), rest["next"]] == [2, 1, None]


async def test_a_merge_keeps_the_best_of_both(twins: Any) -> None:
    merged = await merge(twins, "disc", twins.file)
    track = merged["track"]
    assert (track["track_id"], track["title"], track["star_rating"]) == ("disc", "Strings of Life", 5)
    assert (track["bpm"], track["corrected"], track["local_tags"]) == (123, ["bpm"], ["peak"])
    assert (track["has_audio"], track["duration_seconds"]) == (True, 440)
    audio = await twins.http.get("/api/tracks/disc/audio")
    assert audio.content == b"\0audio"
    assert (await twins.get("/api/duplicates"))["groups"] == []
    assert (await twins.http.get(f"/api/tracks/{twins.file}")).status_code == 404


async def test_playlists_and_plays_follow_and_come_back(twins: Any) -> None:
    other = (await twins.add_track(track_id="other", title="Other"))["track_id"]

    async def make(*track_ids: str) -> str:
        body = {"name": "x", "track_ids": track_ids}
        return f"/api/playlists/{(await twins.http.post('/api/playlists', json=body)).json()['id']}"

    async def order(path: str) -> list[str]:
        return [entry["track_id"] for entry in (await twins.get(path))["tracks"]]

    only_file, both = await make(other, twins.file), await make(twins.file, other, "disc")
    body = {"track_id": twins.file, "played_at": "2025-11-01T20:00:00Z"}
    await twins.http.post("/api/history", json=body)
    merged = await merge(twins, "disc", twins.file)
    assert await order(only_file) == [other, "disc"]
    assert await order(both) == [other, "disc"]
    assert (await twins.get("/api/history", track_id="disc"))["total"] == 1
    before = await undo(twins, merged["id"])
    assert before["undone_at"]
    assert await order(only_file) == [other, twins.file]
    assert await order(both) == [twins.file, other, "disc"]
    assert (await twins.get("/api/history", track_id=twins.file))["total"] == 1
    assert (await twins.get("/api/history", track_id="disc"))["total"] == 0


async def test_an_undone_merge_leaves_both_as_they_were(twins: Any) -> None:
    def lasting(track: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in track.items() if name not in ("updated_at", "analyzed_at")}

    ids = ("disc", twins.file)
    before = [lasting(await twins.get(f"/api/tracks/{one}")) for one in ids]
    merged = await merge(twins, "disc", twins.file)
    for _ in range(2):  # undone twice, it is undone
        await undo(twins, merged["id"])
        assert [lasting(await twins.get(f"/api/tracks/{one}")) for one in ids] == before
    assert (await twins.get("/api/duplicates/merges"))[0]["undone_at"]


async def test_what_was_edited_since_stays_as_it_was_edited(twins: Any) -> None:
    merged = await merge(twins, "disc", twins.file)
    await twins.http.patch("/api/tracks/disc", json={"bpm": 124})
    await undo(twins, merged["id"])
    kept = await twins.get("/api/tracks/disc")
    assert (kept["bpm"], kept["corrected"], kept["has_audio"]) == (124, ["bpm"], False)
    assert (await twins.get(f"/api/tracks/{twins.file}"))["has_audio"]


async def open_jobs(gateway: Any) -> set[str]:
    jobs = (await gateway.get("/api/jobs"))["jobs"]
    return {job["track_id"] for job in jobs if (job["name"], job["state"]) == ("analyze", "waiting")}


async def test_a_file_is_measured_for_whichever_track_has_it(twins: Any) -> None:
    assert await open_jobs(twins) == {twins.file}
    merged = await merge(twins, "disc", twins.file)
    assert await open_jobs(twins) == {"disc"}
    await undo(twins, merged["id"])
    assert await open_jobs(twins) == {twins.file}
    ended = (await twins.get("/api/jobs", state="cancelled"))["jobs"]
    assert {job["track_id"]: job["failedReason"] for job in ended} == {
        twins.file: "The track was merged into another.",
        "disc": "The file went back when a merge was undone.",
    }


async def test_a_track_that_comes_back_unmeasured_is_measured(twins: Any) -> None:
    await twins.http.delete(f"/api/tracks/{twins.file}")
    assert await open_jobs(twins) == set()
    await twins.http.post("/api/trash/restore", json={"track_ids": [twins.file, "disc"]})
    assert await open_jobs(twins) == {twins.file}


async def test_how_a_file_sounds_goes_with_it_and_comes_back(twins: Any, database_url: str) -> None:
    def owners() -> set[tuple[str, str]]:
        with psycopg.connect(database_url) as conn:
            rows = conn.execute(
                """
                select 'analysis', track_id from track_analysis union
                select 'vector', track_id from track_embeddings where kind = 'audio' union
                select 'fingerprint', track_id from track_fingerprints union
                select 'cover', track_id from tracks where cover_path is not null and deleted_at is null
                """
            ).fetchall()
        return {(str(what), str(track)) for what, track in rows}

    async with transaction(twins.services.db) as conn:
        await keep_fingerprint(conn, "dj", twins.file, Fingerprint(items=[1, 2, 3], duration_seconds=9))
        await keep_sound(conn, "dj", twins.file, Embedding(name="sound", version="1", vector=[1, 0]))
        await tracks_store.update_track(conn, "dj", twins.file, {"cover_path": "dj/a.jpg"})
    before = owners()
    merged = await merge(twins, "disc", twins.file)
    assert {("vector", "disc"), ("fingerprint", "disc"), ("cover", "disc")} <= owners()
    await measure(twins, "disc", LATE)
    await undo(twins, merged["id"])
    assert owners() == before | {("analysis", twins.file)}


async def test_a_file_measured_since_its_merge_is_measured_anew(twins: Any) -> None:
    def sound(track: dict[str, Any]) -> dict[str, Any]:
        return {name: track[name] for name in (*MEASURED, "duration_seconds", "analyzed_at", "corrected")}

    await twins.http.patch("/api/tracks/disc", json={"duration_seconds": 440})
    before = sound(await twins.get("/api/tracks/disc"))
    merged = await merge(twins, "disc", twins.file)
    await measure(twins, "disc", LATE)
    heard = await twins.get("/api/tracks/disc")
    assert (heard["key"], heard["duration_seconds"], heard["bpm"]) == ("A minor", 441.0, 123)
    await twins.http.patch("/api/tracks/disc", json={"danceability": 0.9})
    await undo(twins, merged["id"])
    kept = sound(await twins.get("/api/tracks/disc"))
    assert kept == before | {"danceability": 0.9, "corrected": ["danceability"]}
    assert (await twins.get(f"/api/tracks/{twins.file}"))["analyzed_at"] is None
    assert await open_jobs(twins) == {twins.file}


async def test_a_file_measured_before_its_merge_stays_measured(twins: Any) -> None:
    await measure(twins, twins.file, LATE)
    before = await twins.get(f"/api/tracks/{twins.file}")
    merged = await merge(twins, "disc", twins.file)
    await undo(twins, merged["id"])
    after = await twins.get(f"/api/tracks/{twins.file}")
    assert after["analyzed_at"]
    assert after | {"updated_at": None} == before | {"updated_at": None}


async def test_a_merge_from_before_the_sound_was_noted_is_undone(twins: Any, database_url: str) -> None:
    merged = await merge(twins, "disc", twins.file)
    with psycopg.connect(database_url) as db:
        db.execute("update track_merges set undo = undo #- array[dropped[1], 'had']")
    await undo(twins, merged["id"])
    assert (await twins.get(f"/api/tracks/{twins.file}"))["has_audio"]


async def test_merges_are_undone_from_the_last(twins: Any) -> None:
    await twins.add_track(track_id="third", title="Strings of Life")
    first = await merge(twins, "disc", twins.file)
    second = await merge(twins, "third", "disc")
    early = await twins.http.post(f"/api/duplicates/merges/{first['id']}/undo")
    assert (early.status_code, early.json()["code"]) == (409, "conflict")
    await undo(twins, second["id"])
    await undo(twins, first["id"])
    assert (await twins.get(f"/api/tracks/{twins.file}"))["has_audio"]


async def test_what_cannot_be_merged_is_refused(twins: Any) -> None:
    for drop, status in ((["disc"], 422), (["nothing"], 404), ([], 422)):
        answer = await twins.http.post("/api/duplicates/merges", json={"keep": "disc", "drop": drop})
        assert answer.status_code == status
    merged = await merge(twins, "disc", twins.file)
    await twins.http.delete(f"/api/trash/{twins.file}")
    answer = await twins.http.post(f"/api/duplicates/merges/{merged['id']}/undo")
    assert answer.status_code == 409
    assert (await twins.http.post("/api/duplicates/merges/999/undo")).status_code == 404


async def test_one_recording_is_found_by_its_sound_whatever_it_is_called(gateway: Any) -> None:
    rng = random.Random(5)
    items = [rng.getrandbits(32) for _ in range(400)]
    sounds = {"b_rip": items, "a_other": [rng.getrandbits(32) for _ in items], "c_dub": items[3:] + items[:3]}
    for track_id, its_items in sounds.items():
        await gateway.add_track(track_id=track_id, title=track_id)
        async with transaction(gateway.services.db) as conn:
            await tracks_store.update_track(conn, "dj", track_id, {"audio_path": f"dj/{track_id}.mp3"})
            await keep_fingerprint(conn, "dj", track_id, Fingerprint(items=its_items, duration_seconds=50))
    found = await gateway.get("/api/duplicates", by="sound")
    assert [[t["track_id"] for t in group["tracks"]] for group in found["groups"]] == [["b_rip", "c_dub"]]
    assert "fingerprint" in found["groups"][0]["reason"]
    first = await gateway.get("/api/duplicates", by="sound", limit=1)
    assert (first["groups"], first["next"]) == ([], "a_other")
    assert (await gateway.get("/api/duplicates"))["groups"] == []
