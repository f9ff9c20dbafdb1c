"""The statements of the outbox, of the state of the index, and of the documents that it holds."""

from collections.abc import Sequence
from typing import Any

from psycopg.rows import class_row, dict_row

from gateway_api.db import Connection
from gateway_api.features.indexing.models import IndexRow, OutboxEntry

_LOCK_ID = 0x646A6978  # "djix": whoever holds it feeds the index
_DOCUMENT = """
    select t.username, t.track_id, t.title, t.artist, t.album, t.genres, t.styles, t.key, t.year,
           t.star_rating, t.bpm, t.energy, t.danceability, t.mood_happy, t.mood_sad, t.mood_relaxed,
           t.mood_aggressive, t.library_identifier, t.genre_words, t.style_words,
           t.tag_words, left(dj_fold(t.title), 200) as title_words,
           dj_fold(t.artist) as artist_words, dj_fold(t.album) as album_words,
           dj_fold(t.library_identifier) as shelf_words, dj_fold(t.release_id) as release_words,
           t.audio_path is not null as has_audio, t.analyzed_at is not null as is_analyzed,
           extract(epoch from t.created_at)::double precision as added_at,
           array(select pt.playlist_id from playlist_tracks pt
                 where pt.username = t.username and pt.track_id = t.track_id) as playlists,
           extract(epoch from (select max(p.played_at) from plays p
                 where p.username = t.username and p.track_id = t.track_id))::double precision as played_at,
           array(select distinct p.session_id from plays p where p.username = t.username
                 and p.track_id = t.track_id and p.session_id is not null) as sessions
"""


async def try_lock(conn: Connection) -> bool:
    """Whether this connection may feed the index. One at a time, or an old state could overtake a new.
    No transaction is held meanwhile: it would lock the tables for as long as an engine hangs."""
    cursor = await conn.execute("select pg_try_advisory_lock(%s)", [_LOCK_ID])
    row = await cursor.fetchone()
    return bool(row and row[0])


async def unlock(conn: Connection) -> None:
    await conn.execute("select pg_advisory_unlock(%s)", [_LOCK_ID])


async def find_index(conn: Connection, name: str) -> IndexRow | None:
    cursor = conn.cursor(row_factory=class_row(IndexRow))
    await cursor.execute(
        """
        select name, build, fingerprint, built_at, next_build, next_fingerprint, next_since,
               next_username, next_track_id
        from search_indexes where name = %s
        """,
        [name],
    )
    return await cursor.fetchone()


async def register_index(conn: Connection, name: str) -> None:
    """From the commit on, every change leaves an entry. The lock waits for the transactions that began
    without: what they write would be in no entry, and might be missed by a build."""
    async with conn.transaction():
        await conn.execute("lock table tracks, playlist_tracks, plays in share row exclusive mode")
        await conn.execute("delete from search_indexes where name <> %s", [name])
        await conn.execute("insert into search_indexes (name) values (%s) on conflict do nothing", [name])


async def forget_indexes(conn: Connection) -> None:
    """No engine is in use: nothing is noted, and nothing waits."""
    cursor = await conn.execute("delete from search_indexes")
    if cursor.rowcount:
        await conn.execute("truncate search_outbox")


async def lose_build(conn: Connection, name: str) -> None:
    """The engine no longer has the build that answered."""
    await conn.execute(
        "update search_indexes set build = null, fingerprint = null, built_at = null where name = %s", [name]
    )


async def outdate_build(conn: Connection, name: str) -> None:
    """The build that answers goes on until a new one takes its place."""
    await conn.execute("update search_indexes set fingerprint = null where name = %s", [name])


async def begin_build(conn: Connection, name: str, build: str, fingerprint: str) -> None:
    await conn.execute(
        """
        update search_indexes set next_build = %s, next_fingerprint = %s, next_since = now(),
                                  next_username = null, next_track_id = null
        where name = %s
        """,
        [build, fingerprint, name],
    )


async def save_progress(conn: Connection, name: str, username: str, track_id: str) -> None:
    await conn.execute(
        "update search_indexes set next_username = %s, next_track_id = %s where name = %s",
        [username, track_id, name],
    )


async def finish_build(conn: Connection, name: str) -> None:
    await conn.execute(
        """
        update search_indexes set build = next_build, fingerprint = next_fingerprint, built_at = now(),
               next_build = null, next_fingerprint = null, next_since = null,
               next_username = null, next_track_id = null
        where name = %s
        """,
        [name],
    )


async def list_entries(conn: Connection, limit: int) -> list[OutboxEntry]:
    cursor = conn.cursor(row_factory=class_row(OutboxEntry))
    await cursor.execute("select seq, username, track_id from search_outbox order by seq limit %s", [limit])
    return await cursor.fetchall()


async def delete_entries(conn: Connection, seqs: Sequence[int]) -> None:
    """By number, one by one: an entry of a lower number may be committed later."""
    await conn.execute("delete from search_outbox where seq = any(%s)", [list(seqs)])


async def add_entry(conn: Connection, username: str, track_id: str) -> None:
    await conn.execute("insert into search_outbox (username, track_id) values (%s, %s)", [username, track_id])


async def measure_lag(conn: Connection) -> tuple[int, float]:
    """How many entries wait, and for how many seconds the oldest has."""
    cursor = await conn.execute(
        """
        select count(*), coalesce(extract(epoch from now() - min(created_at)), 0)::double precision
        from search_outbox
        """
    )
    row: tuple[Any, ...] | None = await cursor.fetchone()
    return (int(row[0]), max(0.0, float(row[1]))) if row else (0, 0.0)


async def read_documents(conn: Connection, keys: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """The living tracks of these keys."""
    cursor = conn.cursor(row_factory=dict_row)
    await cursor.execute(
        f"""
        {_DOCUMENT}
        from unnest(%s::text[], %s::text[]) as wanted (username, track_id)
        join tracks t on t.username = wanted.username and t.track_id = wanted.track_id
        where t.deleted_at is null
        """,
        [[username for username, _ in keys], [track_id for _, track_id in keys]],
    )
    return await cursor.fetchall()


async def read_documents_after(
    conn: Connection, username: str | None, track_id: str | None, limit: int
) -> list[dict[str, Any]]:
    """The next living tracks in the order of their keys."""
    cursor = conn.cursor(row_factory=dict_row)
    await cursor.execute(
        f"""
        {_DOCUMENT}
        from tracks t where t.deleted_at is null and (t.username, t.track_id) > (%s, %s)
        order by t.username, t.track_id limit %s
        """,
        [username or "", track_id or "", limit],
    )
    return await cursor.fetchall()
