"""Tracks by sound and by meaning through the API, on real vectors in a real Postgres."""

import math
import random
from collections.abc import Callable
from typing import Any

import pytest

from dj_contracts.analysis import Embedding
from gateway_api.db import transaction
from gateway_api.features.embeddings import usecases


async def give_sound(gateway: Any, track_id: str, vector: list[float], version: str = "1") -> None:
    """As an analysis that arrives with an embedding does."""
    async with transaction(gateway.services.db) as conn:
        embedding = Embedding(name="sound", version=version, vector=vector)
        await usecases.keep_sound(conn, "dj", track_id, embedding)


async def similar_to(gateway: Any, track: str, **filters: Any) -> list[str]:
    answer = await gateway.get(f"/api/tracks/{track}/similar", **filters)
    return [hit["track"]["track_id"] for hit in answer["hits"]]


@pytest.fixture
async def sounds(gateway: Any) -> Any:
    vectors: dict[str, list[float]] = {"a": [1, 0], "b": [0.9, 0.1], "c": [0.5, 0.5], "d": [-1, 0.1]}
    for name, vector in vectors.items():
        await gateway.add_track(track_id=name, title=name.upper(), bpm=120 + ord(name) - ord("a"))
        await give_sound(gateway, name, vector)
    await gateway.add_track(track_id="mute", title="Never analysed")
    return gateway


async def test_the_nearest_by_sound_come_first(sounds: Any) -> None:
    assert await similar_to(sounds, "a") == ["b", "c", "d"]


async def test_filters_hold_as_in_a_listing(sounds: Any) -> None:
    assert await similar_to(sounds, "a", bpm_min=122) == ["c", "d"]
    assert await similar_to(sounds, "a", has_audio=True) == []
    assert await similar_to(sounds, "a", limit=1) == ["b"]


async def test_what_is_in_the_trash_is_not_near(sounds: Any) -> None:
    await sounds.http.delete("/api/tracks/b")
    assert await similar_to(sounds, "a") == ["c", "d"]
    assert (await sounds.http.get("/api/tracks/b/similar")).status_code == 404


async def test_a_track_without_sound_says_what_to_do(sounds: Any) -> None:
    answer = await sounds.http.get("/api/tracks/mute/similar")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert "/analyze" in answer.json()["detail"]
    assert (await sounds.http.get("/api/tracks/nothing/similar")).status_code == 404


async def test_models_are_never_mixed(sounds: Any) -> None:
    await give_sound(sounds, "b", [1, 0], version="2")
    assert await similar_to(sounds, "a") == ["c", "d"]
    await give_sound(sounds, "c", [1, 0, 0], version="2")
    assert await similar_to(sounds, "b") == []


async def test_another_collections_tracks_are_not_near(sounds: Any) -> None:
    await sounds.http.post("/api/friends", json={"username": "ana"})
    await sounds.add_track(track_id="a", title="Ana's", username="ana")
    answer = await sounds.http.get("/api/tracks/a/similar", params={"username": "ana"})
    assert answer.status_code == 409
    assert len(await similar_to(sounds, "a")) == 3


async def test_friends_tracks_are_near_when_they_are_asked_for(sounds: Any) -> None:
    await sounds.http.post("/api/friends", json={"username": "ana"})
    await sounds.add_track(track_id="a", title="Ana's", username="ana")
    async with transaction(sounds.services.db) as conn:
        await usecases.keep_sound(conn, "ana", "a", Embedding(name="sound", version="1", vector=[0.9, 0]))
    found = await sounds.get("/api/tracks/a/similar", owner=["dj", "ana"], limit=2)
    assert [hit["track"]["username"] for hit in found["hits"]] == ["ana", "dj"]
    recommended = await sounds.get("/api/tracks/a/recommendations", owner="ana")
    assert [hit["track"]["title"] for hit in recommended["hits"]] == ["Ana's"]


async def test_a_vector_without_direction_says_nothing(sounds: Any) -> None:
    await give_sound(sounds, "mute", [0, 0])
    assert (await sounds.http.get("/api/tracks/mute/similar")).status_code == 409


async def test_recommendations_state_their_weights_and_parts(sounds: Any) -> None:
    await sounds.http.patch("/api/tracks/a", json={"key": "8A"})
    await sounds.http.patch("/api/tracks/c", json={"key": "9A"})
    answer = await sounds.get("/api/tracks/a/recommendations", sound=0, text=0, tempo=0, harmony=1)
    assert answer["weights"] == {"sound": 0, "text": 0, "tempo": 0, "key": 1}
    best = answer["hits"][0]
    assert (best["track"]["track_id"], best["parts"]["key"], best["score"]) == ("c", 0.8, 0.8)
    joined = await sounds.get("/api/tracks/a/recommendations")
    assert joined["hits"][0]["track"]["track_id"] == "b"
    assert joined["hits"][0]["reason"].startswith("Sounds alike")


async def test_recommendations_need_no_analysis(gateway: Any) -> None:
    for bpm in (124, 126, 180):
        await gateway.add_track(track_id=f"t{bpm}", bpm=bpm)
    answer = await gateway.get("/api/tracks/t124/recommendations", bpm_max=130)
    assert [hit["track"]["track_id"] for hit in answer["hits"]] == ["t126"]


async def _complete(gateway: Any) -> bool:
    return bool((await gateway.get("/api/search/semantic", q="x"))["complete"])


async def _meant(gateway: Any, q: str, **filters: Any) -> list[str]:
    answer = await gateway.get("/api/search/semantic", q=q, **filters)
    return [hit["track"]["title"] for hit in answer["hits"]]


async def test_a_sentence_finds_what_is_meant(gateway: Any, eventually: Callable[..., Any]) -> None:
    await gateway.add_track(title="One", genres=["Deep House"], bpm=121)
    await gateway.add_track(title="Two", styles=["Neurofunk"], bpm=174)
    await gateway.add_track(title="Three", genres=["Ambient"])
    await gateway.add_track(title="Four", genres=["Techno"], bpm=136)
    await eventually(lambda: _complete(gateway))
    assert (await _meant(gateway, "warm deep house for sunrise"))[0] == "One"
    assert (await _meant(gateway, "fast angry bass"))[0] == "Two"
    assert (await _meant(gateway, "something calm to fall asleep"))[0] == "Three"
    assert (await _meant(gateway, "dark warehouse club"))[0] == "Four"
    assert await _meant(gateway, "warm deep house for sunrise", bpm_min=130, bpm_max=140) != ["One"]


async def test_below_the_floor_there_is_no_match(gateway: Any, eventually: Callable[..., Any]) -> None:
    await gateway.add_track(title="One", genres=["Techno"])
    await eventually(lambda: _complete(gateway))
    answer = await gateway.get("/api/search/semantic", q="quarterly tax declaration form")
    assert answer["hits"] == []
    assert "No semantic match" in answer["detail"]


async def test_an_edit_of_the_text_is_embedded_anew(gateway: Any, eventually: Callable[..., Any]) -> None:
    track = await gateway.add_track(title="One", genres=["Techno"])
    await eventually(lambda: _complete(gateway))
    await gateway.http.patch(f"/api/tracks/{track['track_id']}", json={"genres": ["Reggae"]})
    await eventually(lambda: _complete(gateway))
    assert await _meant(gateway, "laid back sunny island") == ["One"]


async def test_a_rating_does_not_embed_a_text_again(gateway: Any, eventually: Callable[..., Any]) -> None:
    track = await gateway.add_track(title="One", genres=["Techno"])
    await eventually(lambda: _complete(gateway))
    await gateway.http.patch(f"/api/tracks/{track['track_id']}", json={"star_rating": 5})
    assert await _complete(gateway)


async def test_an_index_is_made_once_there_are_many_and_filters_do_not_starve_it(
    gateway: Any, eventually: Callable[..., Any]
) -> None:
    rng = random.Random(3)
    vectors = [[rng.gauss(0, 1) for _ in range(16)] for _ in range(2100)]
    async with transaction(gateway.services.db) as conn, conn.cursor() as cursor:
        async with cursor.copy("copy tracks (username, track_id, title, bpm) from stdin") as copy:
            for number in range(len(vectors)):
                await copy.write_row(("dj", f"t{number}", f"T {number}", 200 if number % 100 == 7 else 120))
        columns = "username, track_id, kind, model, dims, embedding"
        async with cursor.copy(f"copy track_embeddings ({columns}) from stdin") as copy:
            for number, vector in enumerate(vectors):
                await copy.write_row(("dj", f"t{number}", "audio", "m/1", 16, str(vector)))
    await usecases.ensure_indexes(gateway.services.db)
    await usecases.ensure_indexes(gateway.services.db)
    async with transaction(gateway.services.db) as conn:
        # Of sound alone: the texts of so many tracks get one too, as soon as they are embedded.
        of_sound = "select count(*) from pg_indexes where indexdef like '%hnsw%' and indexdef like '%audio%'"
        cursor = await conn.execute(of_sound)
        assert await cursor.fetchone() == (1,)

    def distance(one: list[float], other: list[float]) -> float:
        dot = sum(a * b for a, b in zip(one, other, strict=True))
        return -dot / math.sqrt(sum(a * a for a in one) * sum(b * b for b in other))

    rare = [n for n in range(len(vectors)) if n % 100 == 7]
    exact = sorted(rare, key=lambda n: distance(vectors[0], vectors[n]))[:10]
    found = await similar_to(gateway, "t0", bpm_min=190, limit=10)
    assert len(set(found) & {f"t{n}" for n in exact}) >= 9
