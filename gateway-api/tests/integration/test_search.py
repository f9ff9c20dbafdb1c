"""Search as a DJ types: in a hurry, without accents, with typos, in any order."""

from typing import Any

import pytest

LIBRARY = [
    ("Jóga", "Björk", "Homogenic"),
    ("Blue Monday", "New Order", "Power, Corruption & Lies"),
    ("Paranoid Android", "Radiohead", "OK Computer"),
    ("Windowlicker", "Aphex Twin", ""),
    ("Back in Black", "AC/DC", ""),
    ("Група крови", "Кино", ""),
    ("Around the World", "Daft Punk", "Homework"),
]


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("björk", "Jóga"),
        ("bjork joga", "Jóga"),
        ("bjrok", "Jóga"),
        ("radiohaed", "Paranoid Android"),
        ("andriod paranoid", "Paranoid Android"),
        ("monday new order", "Blue Monday"),
        ("blu mon", "Blue Monday"),
        ("windowliker", "Windowlicker"),
        ("aphx twin", "Windowlicker"),
        ("ac dc", "Back in Black"),
        ("AC/DC!", "Back in Black"),
        ("группа кино", "Група крови"),
        ("daft punkk wrld", "Around the World"),
        ("homewrk", "Around the World"),
    ],
)
async def test_the_track_meant_comes_first(gateway: Any, query: str, title: str) -> None:
    for track_title, artist, album in LIBRARY:
        await gateway.add_track(title=track_title, artist=artist, album=album)
    hits = (await gateway.get("/api/tracks/search", q=query))["hits"]
    assert hits, query
    assert hits[0]["title"] == title


async def test_what_is_not_there_is_not_found(gateway: Any) -> None:
    await gateway.add_track(title="Blue Monday", artist="New Order")
    answer = await gateway.get("/api/tracks/search", q="zzzzzz qqqq")
    assert (answer["hits"], answer["estimatedTotalHits"]) == ([], 0)


async def test_the_answer_has_the_older_shape_and_pages(gateway: Any) -> None:
    for number in range(5):
        await gateway.add_track(title=f"Loop {number}")
    answer = await gateway.get("/api/tracks/search", q="loop", limit=2, offset=2)
    assert {"hits", "estimatedTotalHits", "offset", "limit", "processingTimeMs"} <= set(answer)
    assert (answer["estimatedTotalHits"], answer["offset"], answer["limit"]) == (5, 2, 2)
    assert [hit["title"] for hit in answer["hits"]] == ["Loop 2", "Loop 3"]
    beyond = await gateway.get("/api/tracks/search", q="loop", offset=50)
    assert (beyond["hits"], beyond["estimatedTotalHits"]) == ([], 5)


async def test_a_letter_is_paged_to_its_end(gateway: Any) -> None:
    async with gateway.services.db.connection() as conn:
        await conn.execute(
            """
            insert into tracks (username, track_id, title)
            select 'dj', 't' || n, 'Loop ' || n from generate_series(1, 620) n
            """
        )
    for offset in range(0, 620, 100):
        page = await gateway.get("/api/tracks/search", q="l", limit=100, offset=offset)
        assert len(page["hits"]) == min(100, 620 - offset), offset
    assert page["estimatedTotalHits"] == 620


@pytest.mark.parametrize("query", ["'", "\\", "a & b | !c", ":*", "%", "\x00", "(", "<->", "''''", "a" * 500])
async def test_no_text_breaks_the_search(gateway: Any, query: str) -> None:
    await gateway.add_track(title="Plain")
    assert (await gateway.http.get("/api/tracks/search", params={"q": query})).status_code == 200
