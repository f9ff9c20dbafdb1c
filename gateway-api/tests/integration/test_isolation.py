"""Two collections never see or change each other's rows, by any endpoint."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway_api.features.audio.usecases import safe_file_name


@pytest.fixture
async def hers(gateway: Any) -> dict[str, Any]:
    """Ana's collection: a track with audio, a playlist and a job, while the asker is somebody else."""
    assert (await gateway.http.post("/api/friends", json={"username": "ana"})).status_code == 201
    answer = await gateway.http.post(
        "/api/upload", params={"username": "ana"}, files={"file": ("secret.mp3", b"\0not quite audio")}
    )
    track = answer.json()
    playlist = await gateway.http.post(
        "/api/playlists", params={"username": "ana"}, json={"name": "Hers", "track_ids": [track["track_id"]]}
    )
    jobs = await gateway.get("/api/jobs", username="ana")
    return {"track": track, "playlist": playlist.json(), "job": jobs["jobs"][0]}


async def test_no_endpoint_shows_or_changes_another_collection(gateway: Any, hers: dict[str, Any]) -> None:
    track, playlist, job = hers["track"]["track_id"], hers["playlist"]["id"], hers["job"]["id"]
    refused = [
        ("GET", f"/api/tracks/{track}", None),
        ("PATCH", f"/api/tracks/{track}", {"title": "Mine now"}),
        ("DELETE", f"/api/tracks/{track}", None),
        ("GET", f"/api/tracks/{track}/analysis", None),
        ("POST", f"/api/tracks/{track}/analyze", None),
        ("POST", f"/api/tracks/{track}/download", {"url": "https://example.org/a.mp3"}),
        ("GET", f"/api/tracks/{track}/audio", None),
        ("GET", f"/api/audio?filename={hers['track']['local_audio_url']}", None),
        ("GET", f"/api/playlists/{playlist}", None),
        ("GET", f"/api/playlists/{playlist}/tracks", None),
        ("GET", f"/api/playlists/{playlist}/export", None),
        ("PATCH", f"/api/playlists/{playlist}", {"name": "Mine now"}),
        ("DELETE", f"/api/playlists/{playlist}", None),
        ("POST", "/api/playlists", {"name": "Thief", "track_ids": [track]}),
        ("POST", "/api/sets", {"track_ids": [track]}),
        ("GET", f"/api/jobs/{job}", None),
        ("POST", f"/api/jobs/{job}/cancel", None),
        ("POST", f"/api/jobs/{job}/retry", None),
    ]
    for method, path, body in refused:
        answer = await gateway.http.request(method, path, json=body)
        assert answer.status_code == 404, (method, path, answer.text)
    assert (await gateway.get("/api/tracks"))["tracks"] == []
    assert (await gateway.get("/api/tracks/search", q="secret"))["hits"] == []
    assert (await gateway.get("/api/playlists")) == []
    assert (await gateway.get("/api/jobs"))["jobs"] == []
    kept = await gateway.get(f"/api/tracks/{track}", username="ana")
    assert kept == hers["track"] | {"updated_at": kept["updated_at"]}
    assert (await gateway.get("/api/playlists", username="ana"))[0]["name"] == "Hers"


async def test_the_same_id_in_two_collections_is_two_tracks(gateway: Any) -> None:
    await gateway.http.post("/api/friends", json={"username": "ana"})
    await gateway.add_track(track_id="1-A1", title="Mine")
    await gateway.add_track(track_id="1-A1", title="Hers", username="ana")
    await gateway.http.patch("/api/tracks/1-A1", json={"bpm": 100})
    hers = await gateway.get("/api/tracks/1-A1", username="ana")
    assert (hers["title"], hers["bpm"]) == ("Hers", None)


async def test_the_same_file_scanned_by_two_is_a_track_of_each(
    gateway: Any, eventually: Callable[..., Any]
) -> None:
    (gateway.music / "a.mp3").write_bytes(b"x")
    await gateway.http.post("/api/friends", json={"username": "ana"})
    for username in ("dj", "ana"):
        path = {"path": str(gateway.music)}
        await gateway.http.post("/api/scan", params={"username": username}, json=path)

        async def imported(username: str = username) -> bool:
            return bool((await gateway.get("/api/tracks", username=username))["tracks"])

        await eventually(imported)


async def test_an_unknown_collection_is_not_made_by_accident(gateway: Any) -> None:
    answer = await gateway.http.post("/api/tracks", params={"username": "nobody"}, json={"title": "x"})
    assert answer.status_code == 404
    assert "POST /api/friends" in answer.json()["detail"]


async def test_a_collection_with_tracks_is_not_removed_by_a_slip(gateway: Any) -> None:
    await gateway.http.post("/api/friends", json={"username": "ana"})
    await gateway.add_track(username="ana")
    assert (await gateway.http.delete("/api/friends", params={"username": "ana"})).status_code == 409
    answer = await gateway.http.delete("/api/friends", params={"username": "ana", "with_tracks": True})
    assert answer.status_code == 204
    assert [f["username"] for f in (await gateway.get("/api/friends"))["results"]] == ["dj"]


def test_a_name_from_outside_never_becomes_a_path() -> None:
    for name in ("../../etc/passwd.mp3", "..\\x.mp3", "/abs.mp3", "a/b/../c.mp3", "\x00.mp3", "...mp3", ""):
        stem, _ = safe_file_name(name)
        assert stem not in ("", ".", "..")
        assert not set(stem) & set('/\\\x00<>:"|?*')
