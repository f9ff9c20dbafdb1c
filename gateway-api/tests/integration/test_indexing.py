"""The search index follows the collection: in order, for ever, and through whatever happens to either."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from gateway_api.adapters.meilisearch import form
from gateway_api.adapters.meilisearch.form import document_id
from gateway_api.adapters.meilisearch.index import MeilisearchIndex
from gateway_api.features.indexing.runner import keep_index_for_ever


@pytest.fixture
async def indexed(
    meilisearch: Any, make_settings: Any, running_gateway: Any, up_to_date: Any
) -> AsyncIterator[Any]:
    async with running_gateway(make_settings(meili_url=meilisearch.url)) as gateway:
        await up_to_date(gateway)
        yield gateway


@pytest.fixture
def up_to_date(eventually: Any) -> Any:
    async def wait(gateway: Any) -> Any:
        async def settled() -> Any:
            status = await gateway.get("/api/search/index")
            done = status["waiting"] == 0 and status["built_at"] and status["building_since"] is None
            return status if done else None

        return await eventually(settled, seconds=20)

    return wait


def stored(meilisearch: Any, name: str = "tracks") -> dict[str, Any]:
    """Title by track id, of what the index holds."""
    documents = meilisearch.indexes[name].documents.values()
    return {one["track_id"]: one["title"] for one in documents if "track_id" in one}


async def test_each_kind_of_change_reaches_the_index(
    indexed: Any, meilisearch: Any, up_to_date: Any, database_url: str
) -> None:
    await indexed.add_track(track_id="a", title="One")
    await indexed.add_track(track_id="b", title="Two")
    await indexed.http.patch("/api/tracks/a", json={"title": "Changed"})
    await indexed.http.delete("/api/tracks/b")
    # By hand at the database: no code of ours can forget to note a change, for none notes it.
    with psycopg.connect(database_url) as conn:
        conn.execute("insert into tracks (username, track_id, title) values ('dj', 'c', 'By hand')")
    await up_to_date(indexed)
    assert stored(meilisearch) == {"a": "Changed", "c": "By hand"}

    playlist = (await indexed.http.post("/api/playlists", json={"name": "P", "track_ids": ["a"]})).json()[
        "id"
    ]
    await up_to_date(indexed)
    assert meilisearch.indexes["tracks"].documents[document_id("dj", "a")]["playlists"] == [playlist]
    await indexed.http.delete(f"/api/playlists/{playlist}")
    await up_to_date(indexed)
    assert meilisearch.indexes["tracks"].documents[document_id("dj", "a")]["playlists"] == []

    await indexed.http.post("/api/friends", json={"username": "ana"})
    await indexed.add_track(track_id="x", title="Hers", username="ana")
    await up_to_date(indexed)
    assert "x" in stored(meilisearch)
    await indexed.http.delete("/api/friends", params={"username": "ana", "with_tracks": True})
    await up_to_date(indexed)
    assert "x" not in stored(meilisearch)


async def test_a_change_that_is_rolled_back_leaves_no_entry(indexed: Any, database_url: str) -> None:
    with psycopg.connect(database_url) as conn:
        conn.execute("insert into tracks (username, track_id, title) values ('dj', 'c', 'Never')")
        conn.rollback()
        assert conn.execute("select count(*) from search_outbox").fetchone() == (0,)


async def test_without_an_engine_nothing_gathers(gateway: Any, database_url: str) -> None:
    await gateway.add_track()
    with psycopg.connect(database_url) as conn:
        assert conn.execute("select count(*) from search_outbox").fetchone() == (0,)
    assert (await gateway.get("/api/search/index"))["engine"] == "postgres"
    assert (await gateway.http.post("/api/search/index/rebuild")).status_code == 409


async def test_a_search_goes_on_through_postgres_and_says_so(
    indexed: Any, meilisearch: Any, up_to_date: Any, eventually: Any
) -> None:
    await indexed.add_track(title="Blue Monday")
    await up_to_date(indexed)
    assert (await indexed.get("/api/search", q="blue"))["engine"] == "meilisearch"
    assert (await indexed.get("/ready"))["checks"]["meilisearch"] is True
    meilisearch.failing = 500
    assert (await indexed.get("/ready"))["checks"]["meilisearch"] is False
    await indexed.add_track(title="Blue Jeans")
    answer = await indexed.get("/api/search", q="blue")
    assert answer["engine"] == "postgres"
    assert answer["notice"].endswith("Postgres answered instead.")
    assert {hit["title"] for hit in answer["hits"]} == {"Blue Monday", "Blue Jeans"}
    asked = len([line for line in meilisearch.requests if line.endswith("/search")])
    await indexed.get("/api/search", q="blue")
    assert len([line for line in meilisearch.requests if line.endswith("/search")]) == asked, (
        "Searches do not wait for an engine that has just not answered."
    )
    status = await indexed.get("/api/search/index")
    assert status["waiting"] >= 1
    assert status["lag_seconds"] > 0
    meilisearch.failing = None
    await up_to_date(indexed)

    async def back() -> bool:
        answer = await indexed.get("/api/search", q="blue")
        return answer["engine"] == "meilisearch" and len(answer["hits"]) == 2

    await eventually(back, seconds=20)


async def test_an_engine_that_hangs_costs_no_more_than_its_timeout(
    make_settings: Any, running_gateway: Any
) -> None:
    # It takes connections, and never reads from one.
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        async with running_gateway(make_settings(meili_url=url, meili_timeout_seconds=0.2)) as gateway:
            await gateway.add_track(title="Blue Monday")
            async with asyncio.timeout(5):
                answer = await gateway.get("/api/search", q="blue")
    assert (answer["engine"], len(answer["hits"])) == ("postgres", 1)


async def test_a_wrong_key_is_said_and_search_goes_on(
    meilisearch: Any, make_settings: Any, running_gateway: Any
) -> None:
    settings = make_settings(meili_url=meilisearch.url, meili_key="wrong")
    async with running_gateway(settings) as gateway:
        assert "403" in (await gateway.get("/api/search", q="x"))["notice"]


async def test_a_new_form_is_built_beside_the_old_and_swapped_in(
    indexed: Any, meilisearch: Any, up_to_date: Any, eventually: Any
) -> None:
    await indexed.add_track(track_id="a", title="One")
    first = await up_to_date(indexed)
    meilisearch.pause()
    assert (await indexed.http.post("/api/search/index/rebuild")).status_code == 202
    # While it is built the old one answers, and changes are taken.
    await indexed.add_track(track_id="b", title="Two")
    answer = await indexed.get("/api/search", q="one")
    assert (answer["engine"], len(answer["hits"])) == ("meilisearch", 1)
    meilisearch.resume()

    async def rebuilt() -> bool:
        status = await up_to_date(indexed)
        return bool(status["built_at"] != first["built_at"])

    await eventually(rebuilt)
    assert stored(meilisearch) == {"a": "One", "b": "Two"}
    assert set(meilisearch.indexes) == {"tracks"}, "The one that answered before is gone."
    searched = meilisearch.indexes["tracks"].settings["searchableAttributes"]
    assert searched == ["title", "artist", "album", "genres", "styles"]


async def test_an_engine_that_was_emptied_is_filled_again(
    indexed: Any, meilisearch: Any, up_to_date: Any, eventually: Any
) -> None:
    await indexed.add_track(track_id="a", title="One")
    await up_to_date(indexed)
    meilisearch.indexes.clear()

    async def filled() -> bool:
        return "tracks" in meilisearch.indexes and stored(meilisearch) == {"a": "One"}

    await eventually(filled)
    assert (await indexed.get("/api/search", q="one"))["engine"] == "meilisearch"


async def test_an_index_of_somebody_else_is_not_trusted(
    meilisearch: Any, make_settings: Any, running_gateway: Any, up_to_date: Any
) -> None:
    """One of an older form refuses our filters, so it is never asked for an answer that it cannot give."""
    meilisearch.put_documents("tracks", [{"id": "1", "title": "Old"}], {"primaryKey": ["id"]})
    async with running_gateway(make_settings(meili_url=meilisearch.url)) as gateway:
        await gateway.add_track(track_id="a", title="New")
        await up_to_date(gateway)
        assert stored(meilisearch) == {"a": "New"}


async def test_a_killed_gateway_goes_on_where_the_build_was(
    meilisearch: Any, make_settings: Any, running_gateway: Any, up_to_date: Any, database_url: str
) -> None:
    settings = make_settings(meili_url=meilisearch.url)
    async with running_gateway(settings) as gateway:
        await gateway.add_track(track_id="a", title="One")
        await up_to_date(gateway)
    # As it is just after the swap, before Postgres was told: the marker says which build answers.
    with psycopg.connect(database_url) as conn:
        conn.execute(
            """
            update search_indexes set next_build = build, next_fingerprint = fingerprint,
                   next_since = now(), next_username = 'dj', next_track_id = 'a',
                   build = 'an older one', fingerprint = null
            """
        )
    async with running_gateway(settings) as gateway:
        await up_to_date(gateway)
        assert stored(meilisearch) == {"a": "One"}
    # And with a build that got half way.
    with psycopg.connect(database_url) as conn:
        conn.execute(
            """
            update search_indexes set next_build = 'half', next_fingerprint = %s, next_since = now(),
                   next_username = 'dj', next_track_id = 'a'
            """,
            [form.FINGERPRINT],
        )
    async with running_gateway(settings) as gateway:
        await gateway.add_track(track_id="b", title="Two")
        await up_to_date(gateway)
        assert stored(meilisearch) == {"a": "One", "b": "Two"}


async def test_a_track_that_the_engine_refuses_holds_up_no_other(
    indexed: Any, meilisearch: Any, eventually: Any, up_to_date: Any
) -> None:
    meilisearch.poison = lambda document: document.get("title") == "Poison"
    for number in range(6):
        await indexed.add_track(track_id=f"t{number}", title="Poison" if number == 2 else f"Good {number}")

    async def only_one_waits() -> bool:
        return bool((await indexed.get("/api/search/index"))["waiting"] == 1)

    await eventually(only_one_waits)
    assert set(stored(meilisearch)) == {"t0", "t1", "t3", "t4", "t5"}
    meilisearch.poison = lambda _document: False
    await up_to_date(indexed)
    assert stored(meilisearch)["t2"] == "Poison"


async def test_a_build_leaves_a_refused_track_to_the_outbox(
    meilisearch: Any, make_settings: Any, running_gateway: Any, eventually: Any, up_to_date: Any, gateway: Any
) -> None:
    for number in range(5):
        await gateway.add_track(track_id=f"t{number}", title="Poison" if number == 2 else f"Good {number}")
    meilisearch.poison = lambda document: document.get("title") == "Poison"
    async with running_gateway(make_settings(meili_url=meilisearch.url)) as with_engine:

        async def built() -> bool:
            status = await with_engine.get("/api/search/index")
            return status["built_at"] is not None and status["waiting"] == 1

        await eventually(built)
        assert set(stored(meilisearch)) == {"t0", "t1", "t3", "t4"}
        meilisearch.poison = lambda _document: False
        await up_to_date(with_engine)
        assert len(stored(meilisearch)) == 5


async def test_a_build_misses_nothing_that_is_written_meanwhile(
    indexed: Any, meilisearch: Any, up_to_date: Any, database_url: str, eventually: Any
) -> None:
    with psycopg.connect(database_url) as conn:
        conn.execute(
            """
            insert into tracks (username, track_id, title)
            select 'dj', 't' || n, 'Old' from generate_series(1, 5000) n
            """
        )
    await up_to_date(indexed)
    first = (await indexed.get("/api/search/index"))["built_at"]
    await indexed.http.post("/api/search/index/rebuild")
    writes = 0
    while (await indexed.get("/api/search/index"))["built_at"] == first:
        writes += 1
        await indexed.http.patch(f"/api/tracks/t{writes * 37 % 5000 + 1}", json={"title": "New"})
        await indexed.http.delete(f"/api/tracks/t{writes * 53 % 5000 + 1}")
    await up_to_date(indexed)
    with psycopg.connect(database_url) as conn:
        rows = conn.execute("select track_id, title from tracks where deleted_at is null").fetchall()
    assert writes > 3
    assert stored(meilisearch) == dict(rows)


async def test_a_stop_is_heard_wherever_the_feeder_is(
    gateway: Any, meilisearch: Any, make_settings: Any, database_url: str
) -> None:
    key = make_settings().meili_key.get_secret_value()
    services = replace(gateway.services, index=MeilisearchIndex(meilisearch.url, key, "tracks", 2))
    for number in range(25):
        await gateway.add_track(track_id=f"t{number}", title=f"Tune {number}")
        task = asyncio.create_task(keep_index_for_ever(services))
        await asyncio.sleep(number * 0.003)  # somewhere else each time
        task.cancel()
        async with asyncio.timeout(10):
            with contextlib.suppress(asyncio.CancelledError):
                await task
    # The connection that was closed in the middle took its lock with it.
    with psycopg.connect(database_url) as conn:
        assert conn.execute(
            """
            select count(*) from pg_locks join pg_database d on d.oid = database
            where locktype = 'advisory' and d.datname = current_database()
            """
        ).fetchone() == (0,)
