"""What was played and what was not, and a collection in numbers, through the API."""

from datetime import UTC, datetime, timedelta
from typing import Any


async def play(gateway: Any, track_id: str, **body: Any) -> dict[str, Any]:
    answer = await gateway.http.post("/api/history", json={"track_id": track_id, **body})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_a_session_is_told_in_its_order(gateway: Any) -> None:
    for name in "abc":
        await gateway.add_track(track_id=name, title=name.upper(), artist="X")
    session = (await gateway.http.post("/api/history/sessions", json={"name": "Saturday"})).json()
    for minute, name in ((20, "c"), (10, "a")):
        await play(gateway, name, session_id=session["id"], played_at=f"2025-11-01T22:{minute}:00+01:00")
    await play(gateway, "b")
    told = await gateway.get("/api/history", session_id=session["id"])
    assert ([p["title"] for p in told["plays"]], told["total"]) == (["A", "C"], 2)
    assert [p["track_id"] for p in (await gateway.get("/api/history"))["plays"]] == ["b", "c", "a"]
    assert (await gateway.get("/api/history/sessions"))[0]["plays"] == 2
    path = f"/api/history/sessions/{session['id']}"
    renamed = (await gateway.http.patch(path, json={"name": "Sunday"})).json()
    assert (renamed["name"], renamed["plays"], renamed["started_at"]) == ("Sunday", 2, session["started_at"])
    assert (await gateway.http.delete(path)).status_code == 204
    assert (await gateway.get("/api/history"))["total"] == 1


async def test_a_play_told_twice_is_one_play(gateway: Any) -> None:
    await gateway.add_track(track_id="a")
    moment = {"played_at": "2025-11-01T22:00:00Z"}
    first, again = await play(gateway, "a", **moment), await play(gateway, "a", **moment)
    assert first == again
    assert (await gateway.http.delete(f"/api/history/{first['id']}")).status_code == 204
    assert (await gateway.http.delete(f"/api/history/{first['id']}")).status_code == 404


async def test_plays_of_what_is_not_there_are_refused(gateway: Any) -> None:
    await gateway.add_track(track_id="a")
    await gateway.http.post("/api/friends", json={"username": "ana"})
    params = {"username": "ana"}
    session = (await gateway.http.post("/api/history/sessions", json={"name": "x"}, params=params)).json()
    for body in ({"track_id": "nothing"}, {"track_id": "a", "session_id": session["id"]}):
        assert (await gateway.http.post("/api/history", json=body)).status_code == 404
    for moment in ("2025-11-01T22:00:00", "0001-01-01T00:00:00+14:00", "soon"):
        answer = await gateway.http.post("/api/history", json={"track_id": "a", "played_at": moment})
        assert answer.status_code == 422


async def test_a_play_of_times_to_come_is_refused(gateway: Any) -> None:
    await gateway.add_track(track_id="a")
    for moment in ("9999-12-31T00:00:00Z", (datetime.now(UTC) + timedelta(hours=25)).isoformat()):
        answer = await gateway.http.post("/api/history", json={"track_id": "a", "played_at": moment})
        assert (answer.status_code, "still to come" in answer.json()["detail"]) == (422, True)
    await play(gateway, "a", played_at=(datetime.now(UTC) + timedelta(hours=23)).isoformat())


async def test_what_was_not_played_lately_is_found(gateway: Any) -> None:
    for number, name in enumerate(("lately", "never", "long_ago")):
        await gateway.add_track(track_id=name, bpm=120 + number)
    await play(gateway, "lately")
    long_ago = (datetime.now(UTC) - timedelta(days=100)).isoformat()
    await play(gateway, "long_ago", played_at=long_ago)

    async def unplayed(**query: Any) -> list[str]:
        found = await gateway.get("/api/history/unplayed", **query)
        return [one["track"]["track_id"] for one in found["tracks"]]

    assert await unplayed() == ["never", "long_ago"]
    assert await unplayed(days=120) == ["never"]
    assert await unplayed(bpm_min=122) == ["long_ago"]
    assert await unplayed(offset=1) == ["long_ago"]


async def test_a_collection_in_numbers(gateway: Any) -> None:
    await gateway.http.put("/api/albums/1", json={"title": "R", "label": "Transmat"})
    await gateway.add_track(
        track_id="a", bpm=124.9, key="8A", energy=7, year=1987, star_rating=5, genres=["Techno"],
        local_tags=["peak"], artist="X", release_id="1", duration_seconds=5400,
    )  # fmt: skip
    await gateway.add_track(bpm=120, key="Am", year=1994, genres=["House"], styles=["Techno"], artist="X")
    await gateway.add_track()
    await play(gateway, "a")
    numbers = await gateway.get("/api/statistics")
    assert (numbers["tracks"], numbers["rated"], numbers["hours"]) == (3, 1, 1.5)
    assert numbers["tempo"] == [{"start": 120, "tracks": 2}]
    assert len(numbers["keys"]) == 24
    assert [k for k in numbers["keys"] if k["tracks"]] == [{"key": "A minor", "camelot": "8A", "tracks": 2}]
    assert numbers["decades"] == [{"start": 1980, "tracks": 1}, {"start": 1990, "tracks": 1}]
    assert numbers["energy"] == [{"start": 7, "tracks": 1}]
    assert numbers["labels"] == [{"name": "Transmat", "tracks": 1}]
    assert numbers["genres"] == [{"name": "Techno", "tracks": 2}, {"name": "House", "tracks": 1}]
    assert numbers["tags"] == [{"name": "peak", "tracks": 1}]
    assert (numbers["artists"][0]["tracks"], len(numbers["added"])) == (2, 1)
    assert numbers["most_played"][0] | {"title": ""} == {
        "track_id": "a", "title": "", "artist": "X", "plays": 1,
    }  # fmt: skip
    assert (await gateway.get("/api/statistics", year_min=1990))["tracks"] == 1


async def test_an_empty_collection_has_numbers_too(gateway: Any) -> None:
    numbers = await gateway.get("/api/statistics")
    assert (numbers["tracks"], numbers["hours"], numbers["tempo"], numbers["labels"]) == (0, 0, [], [])
