"""The statements over albums."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from gateway_api.db import Connection
from gateway_api.features.albums.models import AlbumRow
from gateway_api.features.tracks.models import TrackRow
from gateway_api.features.tracks.store import COLUMNS

_ALBUM = """
    a.username, a.release_id, a.title, a.artist, a.label, a.catalog_number, a.format, a.country, a.year,
    a.thumbnail, a.discogs_url, a.library_identifier, a.notes, a.created_at, a.updated_at, (
        select count(*) from tracks t
        where t.username = a.username and t.release_id = a.release_id and t.deleted_at is null
    ) as track_count
"""


async def list_albums(
    conn: Connection, username: str, *, q: str, label: str, limit: int, offset: int
) -> tuple[list[AlbumRow], int]:
    """Albums in whose title or artist all words of ``q`` stand, of a label when one is given."""
    where = """
        a.username = %(username)s
        and (%(label)s = '' or dj_fold(a.label) = dj_fold(%(label)s))
        and not exists (select from unnest(string_to_array(dj_fold(%(q)s), ' ')) as word
                        where strpos(dj_fold(a.title || ' ' || a.artist), word) = 0)
    """
    parameters = {"username": username, "q": q, "label": label, "limit": limit, "offset": offset}
    cursor = conn.cursor(row_factory=class_row(AlbumRow))
    await cursor.execute(
        f"""
        select {_ALBUM} from albums a where {where}
        order by dj_fold(a.title), a.release_id limit %(limit)s offset %(offset)s
        """,
        parameters,
    )
    rows = await cursor.fetchall()
    counted = await (
        await conn.execute(f"select count(*) from albums a where {where}", parameters)
    ).fetchone()
    return rows, int(str(counted[0])) if counted else 0


async def find_album(conn: Connection, username: str, release_id: str) -> AlbumRow | None:
    cursor = conn.cursor(row_factory=class_row(AlbumRow))
    await cursor.execute(
        f"select {_ALBUM} from albums a where a.username = %s and a.release_id = %s", [username, release_id]
    )
    return await cursor.fetchone()


async def lock_album(conn: Connection, username: str, release_id: str) -> datetime | None:
    """When it was last changed; held until the transaction ends."""
    cursor = await conn.execute(
        "select updated_at from albums where username = %s and release_id = %s for update",
        [username, release_id],
    )
    row: Any = await cursor.fetchone()
    return row[0] if row else None


async def list_album_tracks(conn: Connection, username: str, release_id: str) -> list[TrackRow]:
    """In the order of a record: A1, A2, A10, B1."""
    cursor = conn.cursor(row_factory=class_row(TrackRow))
    await cursor.execute(
        f"""
        select {COLUMNS} from tracks t
        where t.username = %s and t.release_id = %s and t.deleted_at is null
        order by regexp_replace(coalesce(t.position, ''), '[0-9]+.*$', ''),
                 substring(t.position from '[0-9]{{1,9}}')::integer nulls first, t.position, t.track_id
        """,
        [username, release_id],
    )
    return await cursor.fetchall()


async def save_album(conn: Connection, username: str, release_id: str, fields: Mapping[str, Any]) -> None:
    """Set fields of an album, which is made when there is none."""
    names = list(fields)
    columns = "".join(f", {name}" for name in names)
    values = ", %s" * len(names)
    updates = "".join(f"{name} = excluded.{name}, " for name in names)
    await conn.execute(
        f"""
        insert into albums (username, release_id{columns}) values (%s, %s{values})
        on conflict (username, release_id) do update set {updates} updated_at = now()
        """,
        [username, release_id, *fields.values()],
    )


async def delete_album(conn: Connection, username: str, release_id: str) -> bool:
    """Delete an album that no track names, in the trash or not; whether it was deleted."""
    cursor = await conn.execute(
        """
        delete from albums a where a.username = %s and a.release_id = %s
          and not exists (select from tracks t
                          where t.username = a.username and t.release_id = a.release_id)
        """,
        [username, release_id],
    )
    return cursor.rowcount == 1
