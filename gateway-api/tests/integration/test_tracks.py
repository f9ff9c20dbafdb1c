"""Tracks through the API on a real Postgres."""

from typing import Any

import pytest

HOSTILE_TITLES = [
    "Ночь в Тбилиси",
    "夜に駆ける",
    "أغنية",
    "Robert'); drop table tracks;--",
    'She said "no" \\ 100% _done_',
    "🎛️🔥 emoji",
    "x" * 300,
    "<script>alert(1)</script>",
    "%s %(x)s {} $1",
]


@pytest.mark.parametrize("title", HOSTILE_TITLES)
async def test_any_title_is_kept_as_it_is_and_found(gateway: Any, title: str) -> None:
    track = await gateway.add_track(title=title, artist="Ümläut & Søn")
    read = await gateway.get(f"/api/tracks/{track['track_id']}")
    assert (read["title"], read["artist"]) == (title, "Ümläut & Søn")
    found = await gateway.get("/api/tracks/search", q=title)
    words = any(c.isalnum() for c in title)
    assert not words or [hit["track_id"] for hit in found["hits"]] == [track["track_id"]]


async def test_a_key_in_any_spelling_is_stored_canonically(gateway: Any) -> None:
    track = await gateway.add_track(key="1m")
    assert (track["key"], track["camelot"]) == ("A minor", "8A")


async def test_what_is_no_key_is_refused_with_a_sentence(gateway: Any) -> None:
    answer = await gateway.http.post("/api/tracks", json={"title": "x", "key": "H"})
    assert answer.status_code == 422
    assert "'H' is not a musical key" in answer.json()["detail"]


async def test_an_id_is_taken_once(gateway: Any) -> None:
    await gateway.add_track(track_id="123-A1")
    answer = await gateway.http.post("/api/tracks", json={"title": "x", "track_id": "123-A1"})
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


async def test_a_patch_sets_only_what_it_names(gateway: Any) -> None:
    track = await gateway.add_track(title="One", artist="A", year=1987)
    answer = await gateway.http.patch(
        f"/api/tracks/{track['track_id']}", json={"year": None, "notes": "B side"}
    )
    edited = answer.json()
    assert (edited["title"], edited["year"], edited["notes"]) == ("One", None, "B side")


@pytest.mark.parametrize(
    "patch", [{"title": ""}, {"title": None}, {"bpm": -1}, {"nonsense": 1}, {"bpm": "fast"}]
)
async def test_a_patch_that_makes_no_sense_is_refused(gateway: Any, patch: dict[str, Any]) -> None:
    track = await gateway.add_track()
    answer = await gateway.http.patch(f"/api/tracks/{track['track_id']}", json=patch)
    assert answer.status_code == 422


async def test_a_deleted_track_is_gone_from_every_reading(gateway: Any) -> None:
    track = await gateway.add_track(title="Gone")
    path = f"/api/tracks/{track['track_id']}"
    assert (await gateway.http.delete(path)).status_code == 204
    assert (await gateway.http.get(path)).status_code == 404
    assert (await gateway.http.delete(path)).status_code == 404
    assert (await gateway.get("/api/tracks"))["tracks"] == []
    assert (await gateway.get("/api/tracks/search", q="gone"))["hits"] == []


@pytest.mark.parametrize("sort", ["added", "title", "artist", "bpm"])
async def test_pages_of_a_listing_hold_each_track_once(gateway: Any, sort: str) -> None:
    for number in range(7):
        await gateway.add_track(title=f"T{number % 3}", artist="Same", bpm=120 + number % 2)
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = await gateway.get("/api/tracks", sort=sort, limit=2, **after)
        seen += [track["track_id"] for track in page["tracks"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert len(seen) == len(set(seen)) == 7


@pytest.mark.parametrize(
    "after",
    [
        "x",
        "e30=",
        "WyJ0aXRsZSIsIDEsIDJd",
        "WyJhZGRlZCIsICJ4IiwgInkiXQ==",
        "WyJhZGRlZCIsIjIwMjYtMDEtMDEiLCJcdWQ4MDAiXQ==",
    ],
)
async def test_a_cursor_of_elsewhere_is_refused(gateway: Any, after: str) -> None:
    answer = await gateway.http.get("/api/tracks", params={"after": after})
    assert answer.status_code == 422
    assert "not a cursor" in answer.json()["detail"]


async def test_filters_hold_together(gateway: Any) -> None:
    await gateway.add_track(title="A", bpm=124, key="8A", star_rating=4, year=1999, genres=["House"])
    await gateway.add_track(title="B", bpm=174, key="8A", star_rating=5, year=2001, genres=["Drum & Bass"])
    await gateway.add_track(title="C")

    async def titles(**filters: Any) -> str:
        listed = [t["title"] for t in (await gateway.get("/api/tracks", **filters))["tracks"]]
        searched = [t["title"] for t in (await gateway.get("/api/tracks/search", **filters))["hits"]]
        assert sorted(listed) == sorted(searched)
        return "".join(sorted(listed))

    assert await titles(bpm_min=120, bpm_max=130) == "A"
    assert await titles(key="Am") == "AB"
    assert await titles(key=["Am", "C"], rating_min=5) == "B"
    assert await titles(genre="house") == "A"
    assert await titles(year_min=2000, year_max=2010) == "B"
    assert await titles(has_audio=True) == ""
    assert await titles(has_audio=False) == "ABC"


async def test_unknown_parameters_are_refused_rather_than_ignored(gateway: Any) -> None:
    answer = await gateway.http.get("/api/tracks", params={"tempo": 120})
    assert answer.status_code == 422
