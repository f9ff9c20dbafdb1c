"""Bulk edits, and the trash with everything that comes back out of it."""

from typing import Any

import pytest

from dj_contracts.analysis import AnalysisResult, MeasuredKey, Tempo
from gateway_api.db import transaction
from gateway_api.features.tracks.usecases import apply_analysis


@pytest.fixture
async def tracks(gateway: Any) -> list[str]:
    return [(await gateway.add_track(track_id=f"t{n}", title=f"T{n}"))["track_id"] for n in range(3)]


async def analyse(gateway: Any, track_id: str, bpm: float) -> None:
    result = AnalysisResult(
        engine_version="1", duration_seconds=60, tempo=Tempo(bpm=bpm), key=MeasuredKey(name="A minor")
    )
    async with transaction(gateway.services.db) as conn:
        await apply_analysis(conn, "dj", track_id, result)


async def test_one_edit_changes_many_tracks(gateway: Any, tracks: list[str]) -> None:
    await gateway.http.patch("/api/tracks/t0", json={"local_tags": ["old", "warm-up"]})
    body = {
        "track_ids": ["t2", "t0"],
        "set": {"star_rating": 4, "notes": "crate 3"},
        "add_tags": ["warm-up", "vinyl"],
        "remove_tags": ["old"],
    }
    for _ in range(2):  # asked twice, it is the same
        answer = await gateway.http.patch("/api/tracks", json=body)
        shown = [(t["track_id"], t["star_rating"], t["local_tags"]) for t in answer.json()["tracks"]]
        assert shown == [("t2", 4, ["warm-up", "vinyl"]), ("t0", 4, ["warm-up", "vinyl"])]
    assert (await gateway.get("/api/tracks/t1"))["star_rating"] is None


async def test_an_edit_of_many_is_of_all_or_none(gateway: Any, tracks: list[str]) -> None:
    body = {"track_ids": ["t0", "nothing"], "set": {"star_rating": 4}}
    answer = await gateway.http.patch("/api/tracks", json=body)
    assert answer.status_code == 404
    assert "nothing" in answer.json()["detail"]
    assert (await gateway.get("/api/tracks/t0"))["star_rating"] is None


async def test_corrections_of_many_survive_analysis(gateway: Any, tracks: list[str]) -> None:
    await gateway.http.patch("/api/tracks", json={"track_ids": tracks, "set": {"bpm": 87}})
    await analyse(gateway, "t0", 174)
    corrected = await gateway.get("/api/tracks/t0")
    assert (corrected["bpm"], corrected["key"], corrected["corrected"]) == (87, "A minor", ["bpm"])
    answer = await gateway.http.patch("/api/tracks", json={"track_ids": ["t0"], "set": {"bpm": None}})
    measured = answer.json()["tracks"][0]
    assert (measured["bpm"], measured["corrected"]) == (174, [])


async def test_a_restored_track_is_in_its_playlists_again(gateway: Any, tracks: list[str]) -> None:
    made = (await gateway.http.post("/api/playlists", json={"name": "x", "track_ids": tracks})).json()
    path = f"/api/playlists/{made['id']}"
    assert (await gateway.http.post("/api/trash", json={"track_ids": ["t1"]})).json() == {"track_ids": ["t1"]}
    reordered = (await gateway.http.patch(path, json={"track_ids": ["t2", "t0"]})).json()
    assert [e["track_id"] for e in reordered["tracks"]] == ["t2", "t0"]
    trash = await gateway.get("/api/trash")
    assert ([t["track"]["track_id"] for t in trash["tracks"]], trash["total"]) == (["t1"], 1)
    for _ in range(2):
        restored = (await gateway.http.post("/api/trash/restore", json={"track_ids": ["t1"]})).json()
        assert [t["title"] for t in restored["tracks"]] == ["T1"]
    shown = await gateway.get(path)
    assert [e["track_id"] for e in shown["tracks"]] == ["t2", "t0", "t1"]
    assert (await gateway.get("/api/trash"))["tracks"] == []


async def test_only_what_is_in_the_trash_is_deleted_for_ever(gateway: Any, tracks: list[str]) -> None:
    assert (await gateway.http.delete("/api/trash/t0")).status_code == 404
    await gateway.http.post("/api/trash", json={"track_ids": ["t0", "t1"]})
    assert (await gateway.http.delete("/api/trash/t0")).status_code == 204
    assert (await gateway.http.delete("/api/trash")).json() == {"deleted": 1}
    assert (await gateway.http.post("/api/trash/restore", json={"track_ids": ["t1"]})).status_code == 404
    assert [t["track_id"] for t in (await gateway.get("/api/tracks"))["tracks"]] == ["t2"]


async def test_another_collection_is_left_alone(gateway: Any, tracks: list[str]) -> None:
    await gateway.http.post("/api/friends", json={"username": "ana"})
    await gateway.add_track(track_id="t0", username="ana")
    await gateway.http.patch("/api/tracks", json={"track_ids": ["t0"], "set": {"star_rating": 1}})
    await gateway.http.post("/api/trash", json={"track_ids": ["t0"]})
    await gateway.http.delete("/api/trash")
    theirs = await gateway.get("/api/tracks/t0", username="ana")
    assert theirs["star_rating"] is None


async def test_a_tag_stands_once_however_it_is_written(gateway: Any) -> None:
    track = await gateway.add_track(genres=["House", "house", " "], local_tags=["b", "a", "B", "a "])
    assert (track["genres"], track["local_tags"]) == (["House"], ["b", "a"])
    counted = await gateway.get("/api/search", facet="genre", limit=0)
    assert counted["facetDistribution"]["genre"] == {"House": 1}
