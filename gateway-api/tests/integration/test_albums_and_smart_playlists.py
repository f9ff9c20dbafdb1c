"""Albums, and playlists that are a filter, through the API."""

from typing import Any

import pytest


async def test_a_track_that_names_a_release_brings_its_album(gateway: Any) -> None:
    for position in ("A10", "B1", "A2"):
        await gateway.add_track(title=position, album="Atlantis", release_id="77", position=position)
    album = await gateway.get("/api/albums/77")
    assert (album["title"], album["track_count"]) == ("Atlantis", 3)
    assert [track["position"] for track in album["tracks"]] == ["A2", "A10", "B1"]


async def test_an_album_is_filled_in_and_keeps_what_was_filled_in(gateway: Any) -> None:
    body = {"title": "Atlantis", "label": "Good Looking", "year": 1993}
    for _ in range(2):
        saved = (await gateway.http.put("/api/albums/77", json=body)).json()
        assert (saved["label"], saved["year"], saved["track_count"]) == ("Good Looking", 1993, 0)
    await gateway.http.put("/api/albums/77", json={"country": "UK"})
    await gateway.add_track(album="another name", release_id="77")
    album = await gateway.get("/api/albums/77")
    assert (album["title"], album["label"], album["country"]) == ("Atlantis", "Good Looking", "UK")


async def test_albums_are_found_by_words_and_label(gateway: Any) -> None:
    await gateway.http.put(
        "/api/albums/1", json={"title": "Homework", "artist": "Daft Punk", "label": "Virgin"}
    )
    await gateway.http.put("/api/albums/2", json={"title": "Décade", "label": "virgin"})

    async def found(**query: Any) -> list[str]:
        return [album["release_id"] for album in (await gateway.get("/api/albums", **query))["albums"]]

    assert await found() == ["2", "1"]
    assert await found(q="punk home") == ["1"]
    assert await found(q="decade") == ["2"]
    assert await found(label="VIRGIN", limit=1, offset=1) == ["1"]


async def test_an_album_with_tracks_is_not_deleted(gateway: Any) -> None:
    await gateway.http.put("/api/albums/1", json={})
    assert (await gateway.http.delete("/api/albums/1")).status_code == 204
    assert (await gateway.http.delete("/api/albums/1")).status_code == 404
    await gateway.add_track(release_id="2")
    assert (await gateway.http.delete("/api/albums/2")).status_code == 409


@pytest.fixture
async def crate(gateway: Any) -> Any:
    for number, rating in enumerate([3, None, 5, 4]):
        await gateway.add_track(
            track_id=f"t{number}", title=f"T{number}", bpm=120 + number, star_rating=rating
        )
    return gateway


async def make(gateway: Any, **body: Any) -> dict[str, Any]:
    answer = await gateway.http.post("/api/smart-playlists", json={"name": "Crate", **body})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def tracks_of(gateway: Any, playlist: dict[str, Any], **page: Any) -> list[str]:
    found = await gateway.get(f"/api/smart-playlists/{playlist['id']}/tracks", **page)
    return [track["track_id"] for track in found["tracks"]]


async def test_a_smart_playlist_is_looked_up_each_time(crate: Any) -> None:
    playlist = await make(crate, filter={"bpm_min": 121}, sort="rating", descending=True)
    assert await tracks_of(crate, playlist) == ["t2", "t3", "t1"]
    await crate.http.patch("/api/tracks/t0", json={"bpm": 130, "star_rating": 5})
    await crate.http.delete("/api/tracks/t2")
    assert await tracks_of(crate, playlist) == ["t0", "t3", "t1"]


async def test_no_more_than_the_most_are_in_it(crate: Any) -> None:
    playlist = await make(crate, sort="bpm", most=3)
    assert await tracks_of(crate, playlist, limit=2) == ["t0", "t1"]
    assert await tracks_of(crate, playlist, limit=2, offset=2) == ["t2"]
    assert await tracks_of(crate, playlist, limit=2, offset=4) == []
    path = f"/api/smart-playlists/{playlist['id']}"
    assert (await crate.get(f"{path}/tracks"))["total"] == 3
    changed = (await crate.http.patch(path, json={"most": None, "filter": {"rating_min": 4}})).json()
    assert (changed["most"], changed["filter"]["rating_min"], changed["sort"]) == (None, 4, "bpm")
    assert await tracks_of(crate, playlist) == ["t2", "t3"]


async def test_what_was_played_longest_ago_comes_first(crate: Any) -> None:
    for track, day in (("t1", 1), ("t0", 2), ("t1", 3)):
        body = {"track_id": track, "played_at": f"2025-11-0{day}T20:00:00Z"}
        await crate.http.post("/api/history", json=body)
    playlist = await make(crate, sort="last_played", filter={"bpm_max": 122})
    assert await tracks_of(crate, playlist) == ["t2", "t0", "t1"]


async def test_it_is_written_down_as_a_playlist(crate: Any) -> None:
    playlist = await make(crate, sort="bpm", descending=True, most=2)
    answer = await crate.http.post(f"/api/smart-playlists/{playlist['id']}/playlist")
    assert [entry["track_id"] for entry in answer.json()["tracks"]] == ["t3", "t2"]


async def test_what_is_no_filter_is_refused(crate: Any) -> None:
    for body in ({"filter": {"tempo": 1}}, {"sort": "colour"}, {"most": 0}):
        answer = await crate.http.post("/api/smart-playlists", json={"name": "x", **body})
        assert answer.status_code == 422
    playlist = await make(crate)
    path = f"/api/smart-playlists/{playlist['id']}"
    assert (await crate.http.patch(path, json={"name": None})).status_code == 422
    assert (await crate.http.delete(path)).status_code == 204
    assert (await crate.http.get(path)).status_code == 404


@pytest.mark.parametrize(
    "sort",
    ["added", "title", "artist", "bpm", "key", "energy", "year", "rating", "last_played", "random_today"],
)
async def test_every_order_holds_every_track(crate: Any, sort: str) -> None:
    playlist = await make(crate, sort=sort)
    assert sorted(await tracks_of(crate, playlist)) == ["t0", "t1", "t2", "t3"]
