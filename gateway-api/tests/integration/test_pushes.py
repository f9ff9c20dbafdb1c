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


async def test_a_push_of_what_failed_tries_again(gateway: Any) -> None:
    await register(gateway)
    await gateway.http.post(f"/api/jobs/{PUSH['id']}/cancel")
    assert (await register(gateway)).json()["state"] == "waiting"


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


async def test_dead_pushes_are_shown_and_pushed_again(gateway: Any, redis_url: str) -> None:
    entry = {"raw": "{not json", "error": "The push is not JSON.", "at": 1_700_000_000.5}
    with Redis.from_url(redis_url, decode_responses=True) as redis:
        redis.lpush("download_queue:dead", json.dumps(entry))
        (shown,) = (await gateway.get("/api/pushes/dead"))["results"]
        assert (shown["list_name"], shown["raw"]) == ("download_queue", "{not json")
        assert (await gateway.http.post("/api/pushes/dead/requeue")).json() == {"requeued": 1}
        assert redis.lrange("download_queue", 0, -1) == ["{not json"]
        assert (await gateway.get("/api/pushes/dead"))["results"] == []
