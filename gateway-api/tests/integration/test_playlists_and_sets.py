"""Playlists, their exports, and sets through a ga-service that is really there, or is not."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from ga_service.main import create_app as create_ga
from ga_service.settings import Settings as GASettings


@pytest.fixture
async def tracks(gateway: Any) -> list[str]:
    return [
        (await gateway.add_track(title=f"T{n}", artist="A", bpm=120 + n, key=f"{n}A"))["track_id"]
        for n in range(1, 5)
    ]


async def test_a_playlist_keeps_its_order(gateway: Any, tracks: list[str]) -> None:
    order = [tracks[2], tracks[0], tracks[3]]
    made = (await gateway.http.post("/api/playlists", json={"name": "Ночь", "track_ids": order})).json()
    assert [(e["track_id"], e["position"]) for e in made["tracks"]] == list(
        zip(order, (1, 2, 3), strict=True)
    )
    page = await gateway.get(f"/api/playlists/{made['id']}/tracks", limit=2, offset=1)
    assert ([t["track_id"] for t in page["tracks"]], page["total"]) == (order[1:], 3)
    path = f"/api/playlists/{made['id']}"
    edited = (await gateway.http.patch(path, json={"track_ids": tracks})).json()
    assert ([e["track_id"] for e in edited["tracks"]], edited["name"]) == (tracks, "Ночь")
    assert (await gateway.http.delete(path)).status_code == 204
    assert (await gateway.http.get(path)).status_code == 404


async def test_a_track_stands_once_and_must_exist(gateway: Any, tracks: list[str]) -> None:
    twice = await gateway.http.post("/api/playlists", json={"name": "x", "track_ids": [tracks[0]] * 2})
    assert (twice.status_code, twice.json()["code"]) == (409, "conflict")
    unknown = await gateway.http.post("/api/playlists", json={"name": "x", "track_ids": ["nope"]})
    assert unknown.status_code == 404
    assert (await gateway.get("/api/playlists")) == []


async def test_a_deleted_track_leaves_no_hole(gateway: Any, tracks: list[str]) -> None:
    made = (await gateway.http.post("/api/playlists", json={"name": "x", "track_ids": tracks})).json()
    await gateway.http.delete(f"/api/tracks/{tracks[1]}")
    shown = await gateway.get(f"/api/playlists/{made['id']}")
    assert [e["position"] for e in shown["tracks"]] == [1, 2, 3]


async def test_an_export_names_files_and_what_is_missing(gateway: Any) -> None:
    name = "Ünï côdé.mp3"
    uploaded = (await gateway.http.post("/api/upload", files={"file": (name, b"\0audio")})).json()
    bare = await gateway.add_track(title="Vinyl only\nline", artist="B")
    ids = [uploaded["track_id"], bare["track_id"]]
    made = (await gateway.http.post("/api/playlists", json={"name": "Set; 1/2", "track_ids": ids})).json()
    answer = await gateway.http.get(f"/api/playlists/{made['id']}/export", params={"format": "m3u8"})
    lines = answer.content.decode("utf-8").split("\r\n")
    path = gateway.services.audio.locate(uploaded["local_audio_url"])
    assert lines == [
        "#EXTM3U",
        "#PLAYLIST:Set; 1/2",
        "#EXTINF:-1,Ünï côdé",
        str(path),
        "# no audio file: B - Vinyl only line",
        "",
    ]
    assert "filename*=UTF-8''Set%3B%201%2F2.m3u8" in answer.headers["Content-Disposition"]


async def test_without_the_set_builder_the_answer_says_so(gateway: Any, tracks: list[str]) -> None:
    answer = await gateway.http.post("/api/sets", json={"track_ids": tracks})
    assert (answer.status_code, answer.json()["code"]) == (503, "upstream_unavailable")
    assert answer.headers["Retry-After"]


@pytest.fixture
async def with_ga(
    make_settings: Callable[..., Any], running_gateway: Callable[..., Any], serve_app: Callable[..., Any]
) -> AsyncIterator[Any]:
    with serve_app(create_ga(GASettings())) as ga_url:
        async with running_gateway(make_settings(ga_url=ga_url)) as gateway:
            yield gateway


async def test_a_set_is_the_same_tracks_in_an_explained_order(with_ga: Any) -> None:
    ids = [
        (await with_ga.add_track(title=t, bpm=bpm, key=key))["track_id"]
        for t, bpm, key in [("a", 128, "8A"), ("b", 120, "3B"), ("c", 127, "9A"), ("d", 121, "3A")]
    ]
    answer = await with_ga.http.post("/api/sets", json={"track_ids": ids})
    built = answer.json()
    assert answer.status_code == 200, answer.text
    assert sorted(t["track_id"] for t in built["tracks"]) == sorted(ids)
    assert len(built["transitions"]) == 3
    assert all(t["reason"] for t in built["transitions"])
    assert built["score"] >= built["input_score"]
    again = (await with_ga.http.post("/api/sets", json={"track_ids": ids})).json()
    assert [t["track_id"] for t in again["tracks"]] == [t["track_id"] for t in built["tracks"]]


async def test_the_older_form_keeps_unknown_fields(with_ga: Any) -> None:
    playlist = [
        {"track_id": "1", "friend_id": 7, "bpm": 120, "key": "Am", "mine": {"a": [1]}},
        {"track_id": "2", "bpm": "121", "key": "8A"},
    ]
    answer = await with_ga.http.post("/api/playlists/genetic", json={"playlist": playlist})
    assert answer.status_code == 200, answer.text
    assert sorted(answer.json()["result"], key=lambda t: t["track_id"]) == playlist


async def test_the_older_form_names_what_is_unusable(with_ga: Any) -> None:
    answer = await with_ga.http.post(
        "/api/playlists/genetic", json={"playlist": [{"track_id": "1"}, {"title": "no id"}]}
    )
    body = answer.json()
    assert (answer.status_code, body["invalid_count"]) == (400, 1)
    assert body["invalid"][0]["reason"]
    assert body["error"]


@pytest.mark.parametrize(
    "playlist",
    ['[{"track_id": "\\ud800"}]', '[{"track_id": "1", "bpm": NaN}]', '[{"track_id": "1", "x": 1e999}]'],
)
async def test_what_json_cannot_carry_is_no_fault_of_ours(with_ga: Any, playlist: str) -> None:
    answer = await with_ga.http.post(
        "/api/playlists/genetic",
        content=f'{{"playlist": {playlist}}}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code in (200, 422), answer.text
