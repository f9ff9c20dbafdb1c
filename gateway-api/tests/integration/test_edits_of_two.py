"""Requests sent twice are done once, and two tabs do not write over each other."""

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from gateway_api.features.idempotency import once


async def post(gateway: Any, path: str, body: Any, key: str, **headers: str) -> Any:
    return await gateway.http.post(path, json=body, headers={"Idempotency-Key": key, **headers})


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/tracks", {"title": "Once"}),
        ("/api/playlists", {"name": "Once"}),
        ("/api/friends", {"username": "once"}),
    ],
)
async def test_a_request_that_is_sent_twice_is_done_once(gateway: Any, path: str, body: Any) -> None:
    first = await post(gateway, path, body, "key-1")
    second = await post(gateway, path, body, "key-1")
    assert first.status_code == second.status_code == 201
    assert second.content == first.content
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["content-type"] == "application/json"
    listed = await gateway.get(path)
    rows = listed if isinstance(listed, list) else listed.get("tracks", listed.get("results"))
    assert len([row for row in rows if "Once" in str(row) or "once" in str(row)]) == 1


async def test_many_at_once_make_one(gateway: Any) -> None:
    answers = await asyncio.gather(
        *(post(gateway, "/api/playlists", {"name": "Race"}, "race") for _ in range(8))
    )
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len(await gateway.get("/api/playlists")) == 1


async def test_a_key_is_of_one_request(gateway: Any) -> None:
    await post(gateway, "/api/tracks", {"title": "One"}, "key")
    other = await post(gateway, "/api/tracks", {"title": "Two"}, "key")
    assert (other.status_code, "another request" in other.json()["detail"]) == (422, True)
    elsewhere = await post(gateway, "/api/playlists", {"name": "Two"}, "key")
    assert elsewhere.status_code == 201


async def test_a_request_that_failed_may_be_tried_again_with_its_key(gateway: Any) -> None:
    body = {"name": "Set", "track_ids": ["7-A1"]}
    assert (await post(gateway, "/api/playlists", body, "key")).status_code == 404
    await gateway.add_track(track_id="7-A1")
    assert (await post(gateway, "/api/playlists", body, "key")).status_code == 201


async def test_one_that_a_crash_cut_off_is_not_done_again(gateway: Any, database_url: str) -> None:
    await post(gateway, "/api/tracks", {"title": "Unsure"}, "key")
    with psycopg.connect(database_url) as conn:
        conn.execute("update idempotency_keys set status = null, headers = null, body = null")
    answer = await post(gateway, "/api/tracks", {"title": "Unsure"}, "key")
    assert (answer.status_code, answer.headers["retry-after"]) == (409, "2")
    assert len((await gateway.get("/api/tracks"))["tracks"]) == 1


async def test_one_whose_answer_is_too_large_to_keep_is_not_done_again(
    gateway: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(once, "_LARGEST_ANSWER", 10)
    assert (await post(gateway, "/api/tracks", {"title": "Large"}, "key")).status_code == 201
    answer = await post(gateway, "/api/tracks", {"title": "Large"}, "key")
    assert (answer.status_code, "was done" in answer.json()["detail"]) == (409, True)
    assert len((await gateway.get("/api/tracks"))["tracks"]) == 1


async def test_an_answer_is_not_given_to_whoever_knows_the_key(
    make_settings: Callable[..., Any], running_gateway: Callable[..., Any]
) -> None:
    token = {"Authorization": "Bearer a-token-for-the-api"}
    async with running_gateway(make_settings(api_token=SecretStr("a-token-for-the-api"))) as gateway:
        assert (await post(gateway, "/api/tracks", {"title": "x"}, "key", **token)).status_code == 201
        assert (await post(gateway, "/api/tracks", {"title": "x"}, "key")).status_code == 401


@pytest.mark.parametrize("kind", ["tracks", "playlists", "smart-playlists", "albums", "history/sessions"])
async def test_a_stale_tab_does_not_write_over_a_newer_edit(gateway: Any, kind: str) -> None:
    edit, field = gateway.http.patch, "name"
    if kind == "tracks":
        path, field = f"/api/tracks/{(await gateway.add_track())['track_id']}", "title"
    elif kind == "albums":
        path, field, edit = "/api/albums/LP1", "title", gateway.http.put
        await gateway.add_track(release_id="LP1")
    else:
        made = await gateway.http.post(f"/api/{kind}", json={"name": "Set"})
        path = f"/api/{kind}/{made.json()['id']}"
    read = (await gateway.http.get(path)).headers["etag"]
    first = await edit(path, json={field: "First"}, headers={"If-Match": read})
    assert first.status_code == 200
    second = await edit(path, json={field: "Second"}, headers={"If-Match": read})
    assert (second.status_code, second.json()["code"]) == (412, "precondition_failed")
    assert (await gateway.get(path))[field] == "First"
    newest = first.headers["etag"]
    assert second.headers["etag"] == newest == (await gateway.http.get(path)).headers["etag"]
    for if_match in (f'"other", {newest}', "*"):
        again = await edit(path, json={field: "Third"}, headers={"If-Match": if_match})
        assert again.status_code == 200
    assert (await edit(path, json={field: "Fourth"})).status_code == 200
    if kind != "albums":  # an album goes with its last track
        assert (await gateway.http.delete(path, headers={"If-Match": read})).status_code == 412
        now = (await gateway.http.get(path)).headers["etag"]
        assert (await gateway.http.delete(path, headers={"If-Match": now})).status_code == 204


@pytest.mark.parametrize("if_match", ["5f3a", '"5f3a', "", ",", "yesterday, today"])
async def test_an_if_match_that_is_no_etag_is_told_how_one_looks(gateway: Any, if_match: str) -> None:
    path = f"/api/tracks/{(await gateway.add_track())['track_id']}"
    etag = (await gateway.http.get(path)).headers["etag"]
    answer = await gateway.http.patch(path, json={"title": "New"}, headers={"If-Match": if_match})
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")
    assert 'such as If-Match: "' in answer.json()["detail"]
    weak = await gateway.http.patch(path, json={"title": "New"}, headers={"If-Match": f"W/{etag}"})
    assert weak.status_code == 412


async def test_of_two_edits_at_once_with_one_etag_one_wins(gateway: Any) -> None:
    path = f"/api/tracks/{(await gateway.add_track())['track_id']}"
    read = (await gateway.http.get(path)).headers["etag"]
    answers = await asyncio.gather(
        *(
            gateway.http.patch(path, json={"title": f"T{number}"}, headers={"If-Match": read})
            for number in range(6)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412, 412]


async def test_download_preferences_that_nobody_set_yet_are_set_by_one_of_two_tabs(gateway: Any) -> None:
    path = "/api/downloads/preferences"
    read = (await gateway.http.get(path)).headers["etag"]
    answers = await asyncio.gather(
        *(
            gateway.http.put(path, json={"format": kind}, headers={"If-Match": read})
            for kind in ("mp3", "flac", "opus")
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412]
    (winner,) = (answer for answer in answers if answer.status_code == 200)
    assert winner.headers["etag"] == (await gateway.http.get(path)).headers["etag"]
    assert await gateway.get(path) == winner.json()


async def test_an_edit_of_many_leaves_alone_what_has_changed_since_it_was_read(gateway: Any) -> None:
    tracks = [await gateway.add_track() for _ in range(2)]
    edit: dict[str, Any] = {
        "track_ids": [track["track_id"] for track in tracks],
        "set": {"star_rating": 4},
        "read_at": {track["track_id"]: track["updated_at"] for track in tracks},
    }
    changed = tracks[1]["track_id"]
    assert (await gateway.http.patch(f"/api/tracks/{changed}", json={"title": "Other"})).status_code == 200
    answer = await gateway.http.patch("/api/tracks", json=edit)
    assert (answer.status_code, changed in answer.json()["detail"]) == (412, True)
    ratings = [track["star_rating"] for track in (await gateway.get("/api/tracks"))["tracks"]]
    assert ratings == [None, None]
    edit["read_at"] = {
        track["track_id"]: track["updated_at"] for track in (await gateway.get("/api/tracks"))["tracks"]
    }
    assert (await gateway.http.patch("/api/tracks", json=edit)).status_code == 200
    edit["read_at"]["another"] = tracks[0]["updated_at"]
    assert (await gateway.http.patch("/api/tracks", json=edit)).status_code == 422
