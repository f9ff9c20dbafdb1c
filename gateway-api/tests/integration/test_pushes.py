"""Raw pushes as the bridge registers them, and the dead ones as people see them."""

import json
from typing import Any

import pytest
from redis import Redis

PUSH = {
    "id": "push-" + "0" * 32,
    "job_type": "download",
    "track_id": "12345",
    "username": None,
    "friend_id": None,
    "url": "https://example.org/a.mp3",
    "source": "youtube",
    "raw": {"track_id": "12345", "title": "Strings of Life", "artist": "Rhythim Is Rhythim"},
}


async def register(gateway: Any, **changes: Any) -> Any:
    return await gateway.worker.post("/internal/pushes", json=PUSH | changes)


async def test_a_push_a_thousand_times_is_one_download(gateway: Any) -> None:
    for _ in range(5):
        answer = await register(gateway)
        assert (answer.status_code, answer.json()["job_id"]) == (200, PUSH["id"])
    jobs = (await gateway.get("/api/jobs"))["jobs"]
    assert [(job["name"], job["track_id"], job["data"]["url"]) for job in jobs] == [
        ("download", "12345", PUSH["url"])
    ]
    track = await gateway.get("/api/tracks/12345")
    assert (track["title"], track["artist"]) == ("Strings of Life", "Rhythim Is Rhythim")
    state = (await gateway.worker.get(f"/internal/pushes/{PUSH['id']}")).json()
    assert (state["state"], state["progress"]) == ("waiting", 0)


async def test_a_push_delivered_again_does_not_restart_what_was_cancelled_and_a_new_one_does(
    gateway: Any,
) -> None:
    await register(gateway, identity="job-id:a")
    await gateway.http.post(f"/api/jobs/{PUSH['id']}/cancel")
    assert (await register(gateway, identity="job-id:a")).json()["state"] == "cancelled"
    assert (await register(gateway, identity="job-id:b")).json()["state"] == "waiting"
    await gateway.http.post(f"/api/jobs/{PUSH['id']}/cancel")
    assert (await register(gateway, identity="job-id:b")).json()["state"] == "cancelled"


async def test_a_push_for_a_track_that_is_being_fetched_stays_one_download(gateway: Any) -> None:
    await gateway.add_track(track_id="12345")
    asked = await gateway.http.post("/api/tracks/12345/download", json={"url": PUSH["url"]})
    await gateway.worker.post(f"/internal/jobs/{asked.json()['id']}/claim")
    for _ in range(3):
        assert (await register(gateway)).json()["job_id"] == asked.json()["id"]
    outcome = {
        "kind": "download",
        "audio_path": "dj/12345/a.mp3",
        "duration_seconds": 61,
        "source_url": PUSH["url"],
    }
    path = f"/internal/jobs/{asked.json()['id']}/complete"
    assert (await gateway.worker.post(path, json={"attempt": 1, "outcome": outcome})).status_code == 204
    assert (await register(gateway)).json()["state"] == "completed"
    downloads = [job for job in (await gateway.get("/api/jobs"))["jobs"] if job["name"] == "download"]
    assert [job["state"] for job in downloads] == ["completed"]


async def test_the_older_kinds_of_job_are_known(gateway: Any) -> None:
    await gateway.add_track(track_id="9-A1", release_id="9")
    async with gateway.services.db.connection() as conn:
        await conn.execute("update tracks set audio_path = 'dj/9-A1/a.mp3'")
    for number, kind in enumerate(("fix-duration", "extract-cover-art", "extract-cover-art-album")):
        push_id = f"push-{number:032x}"
        answer = await register(gateway, id=push_id, track_id="9-A1", job_type=kind, url=None)
        assert answer.json()["job_id"] == push_id, answer.text
        claim = (await gateway.worker.post(f"/internal/jobs/{push_id}/claim")).json()
        assert claim["payload"]["kind"] == kind


async def test_the_collection_may_be_named_by_number(gateway: Any) -> None:
    ana = (await gateway.http.post("/api/friends", json={"username": "ana"})).json()
    assert (await register(gateway, friend_id=str(ana["id"]))).status_code == 200
    assert (await gateway.get("/api/tracks/12345", username="ana"))["title"] == "Strings of Life"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"username": "nobody"}, 409),
        ({"job_type": "analyze-local"}, 409),
        ({"job_type": "make-coffee"}, 422),
        ({"track_id": "../../x"}, 422),
        ({"url": None}, 422),
    ],
)
async def test_a_push_that_cannot_be_done_is_refused_and_leaves_nothing(
    gateway: Any, changes: dict[str, Any], status: int
) -> None:
    answer = await register(gateway, **changes)
    assert (answer.status_code, bool(answer.json()["detail"])) == (status, True)
    assert (await gateway.get("/api/jobs"))["jobs"] == []
    assert (await gateway.get("/api/tracks"))["tracks"] == []


async def test_a_push_that_names_what_is_not_there_is_refused_for_good(gateway: Any) -> None:
    for kind in ("fix-duration", "extract-cover-art", "extract-cover-art-album"):
        answer = await register(gateway, job_type=kind, track_id="nowhere")
        assert answer.status_code in (409, 422), answer.text


async def test_dead_pushes_are_shown_and_pushed_again(gateway: Any, redis_url: str) -> None:
    entry = {"raw": "{not json", "error": "The push is not JSON.", "at": 1_700_000_000.5}
    with Redis.from_url(redis_url, decode_responses=True) as redis:
        redis.lpush("download_queue:dead", json.dumps(entry))
        (shown,) = (await gateway.get("/api/pushes/dead"))["results"]
        assert (shown["list_name"], shown["raw"]) == ("download_queue", "{not json")
        assert (await gateway.http.post("/api/pushes/dead/requeue")).json() == {"requeued": 1}
        assert redis.lrange("download_queue", 0, -1) == ["{not json"]
        assert (await gateway.get("/api/pushes/dead"))["results"] == []
