"""The statements over smart playlists, and what their filters find."""

from collections.abc import Mapping
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from gateway_api.db import Connection
from gateway_api.features.smart_playlists.models import Order, SmartPlaylistRow
from gateway_api.features.tracks.filters import TrackFilter
from gateway_api.features.tracks.models import TrackRow
from gateway_api.features.tracks.store import COLUMNS

_ROW = "id, username, name, filter, sort, descending, most, created_at, updated_at"
_LAST_PLAYED = """(
    select max(p.played_at) from plays p where p.username = t.username and p.track_id = t.track_id
)"""
_ORDERS = {
    Order.ADDED: "t.created_at",
    Order.TITLE: "dj_fold(t.title)",
    Order.ARTIST: "dj_fold(t.artist)",
    Order.BPM: "t.bpm",
    Order.KEY: "t.key",
    Order.ENERGY: "t.energy",
    Order.YEAR: "t.year",
    Order.RATING: "t.star_rating",
    Order.LAST_PLAYED: _LAST_PLAYED,
    Order.RANDOM_TODAY: "md5(t.track_id || current_date)",
}


async def list_smart_playlists(
    conn: Connection, username: str, *, limit: int, offset: int
) -> list[SmartPlaylistRow]:
    cursor = conn.cursor(row_factory=class_row(SmartPlaylistRow))
    await cursor.execute(
        f"select {_ROW} from smart_playlists where username = %s order by id limit %s offset %s",
        [username, limit, offset],
    )
    return await cursor.fetchall()


async def find_smart_playlist(
    conn: Connection, username: str, playlist_id: int, *, lock: bool = False
) -> SmartPlaylistRow | None:
    cursor = conn.cursor(row_factory=class_row(SmartPlaylistRow))
    await cursor.execute(
        f"""
        select {_ROW} from smart_playlists where username = %s and id = %s {"for update" if lock else ""}
        """,
        [username, playlist_id],
    )
    return await cursor.fetchone()


async def insert_smart_playlist(
    conn: Connection, username: str, fields: Mapping[str, Any]
) -> SmartPlaylistRow:
    cursor = conn.cursor(row_factory=class_row(SmartPlaylistRow))
    await cursor.execute(
        f"""
        insert into smart_playlists (username, name, filter, sort, descending, most)
        values (%s, %s, %s, %s, %s, %s) returning {_ROW}
        """,
        [
            username,
            fields["name"],
            Jsonb(fields["filter"]),
            fields["sort"],
            fields["descending"],
            fields["most"],
        ],
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - an insert that returns either gives a row or raises
    return row


async def update_smart_playlist(
    conn: Connection, username: str, playlist_id: int, fields: Mapping[str, Any]
) -> SmartPlaylistRow | None:
    assignments = "".join(f"{name} = %s, " for name in fields)
    values = [Jsonb(value) if name == "filter" else value for name, value in fields.items()]
    cursor = conn.cursor(row_factory=class_row(SmartPlaylistRow))
    await cursor.execute(
        f"""
        update smart_playlists set {assignments} updated_at = now()
        where username = %s and id = %s returning {_ROW}
        """,
        [*values, username, playlist_id],
    )
    return await cursor.fetchone()


async def delete_smart_playlist(conn: Connection, username: str, playlist_id: int) -> bool:
    cursor = await conn.execute(
        "delete from smart_playlists where username = %s and id = %s", [username, playlist_id]
    )
    return cursor.rowcount == 1


async def list_found(
    conn: Connection,
    username: str,
    filters: TrackFilter,
    *,
    order: Order,
    descending: bool,
    limit: int,
    offset: int,
) -> list[TrackRow]:
    """Tracks without the value that they are ordered by come last, but never played comes before long ago."""
    conditions, parameters = filters.conditions()
    where = " and ".join(["t.username = any(%(owners)s)", "t.deleted_at is null", *conditions])
    nulls = "first" if order is Order.LAST_PLAYED and not descending else "last"
    direction = f"{'desc' if descending else 'asc'} nulls {nulls}"
    cursor = conn.cursor(row_factory=class_row(TrackRow))
    await cursor.execute(
        f"""
        select {COLUMNS} from tracks t where {where}
        order by {_ORDERS[order]} {direction}, t.track_id limit %(limit)s offset %(offset)s
        """,
        parameters | {"owners": filters.owner or [username], "limit": limit, "offset": offset},
    )
    return await cursor.fetchall()


async def count_found(conn: Connection, username: str, filters: TrackFilter) -> int:
    conditions, parameters = filters.conditions()
    where = " and ".join(["t.username = any(%(owners)s)", "t.deleted_at is null", *conditions])
    cursor = await conn.execute(
        f"select count(*) from tracks t where {where}", parameters | {"owners": filters.owner or [username]}
    )
    row = await cursor.fetchone()
    return int(str(row[0])) if row else 0
