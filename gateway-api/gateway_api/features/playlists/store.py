"""The statements over playlists. Tracks in the trash are not shown."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from gateway_api.db import Connection
from gateway_api.features.playlists.models import Playlist
from gateway_api.features.tracks.models import TrackRow
from gateway_api.features.tracks.store import COLUMNS

_PLAYLIST = """
    select p.id, p.name, p.created_at, p.updated_at, coalesce((
        select json_agg(json_build_object('track_id', e.track_id, 'username', e.username, 'position', e.place)
                        order by e.place)
        from (
            select pt.track_id, pt.username, row_number() over (order by pt.position) as place
            from playlist_tracks pt join tracks t using (username, track_id)
            where pt.playlist_id = p.id and t.deleted_at is null
        ) e
    ), '[]') as tracks
    from playlists p
"""


async def list_playlists(conn: Connection, username: str, *, limit: int, offset: int) -> list[Playlist]:
    cursor = conn.cursor(row_factory=class_row(Playlist))
    await cursor.execute(
        f"{_PLAYLIST} where p.username = %s order by p.id limit %s offset %s", [username, limit, offset]
    )
    return await cursor.fetchall()


async def find_playlist(conn: Connection, username: str, playlist_id: int) -> Playlist | None:
    cursor = conn.cursor(row_factory=class_row(Playlist))
    await cursor.execute(f"{_PLAYLIST} where p.username = %s and p.id = %s", [username, playlist_id])
    return await cursor.fetchone()


async def list_playlist_tracks(
    conn: Connection, username: str, playlist_id: int, *, limit: int, offset: int
) -> tuple[list[TrackRow], int]:
    cursor = conn.cursor()
    await cursor.execute(
        f"""
        select count(*) over (), {COLUMNS} from playlist_tracks pt
        join tracks t on t.username = pt.username and t.track_id = pt.track_id
        where pt.playlist_id = %s and pt.username = %s and t.deleted_at is null
        order by pt.position limit %s offset %s
        """,
        [playlist_id, username, limit, offset],
    )
    rows: list[tuple[Any, ...]] = await cursor.fetchall()
    return [TrackRow(*row[1:]) for row in rows], int(rows[0][0]) if rows else 0


async def insert_playlist(conn: Connection, username: str, name: str) -> int:
    cursor = await conn.execute(
        "insert into playlists (username, name) values (%s, %s) returning id", [username, name]
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - an insert that returns either gives a row or raises
    return int(str(row[0]))


async def lock_playlist(conn: Connection, username: str, playlist_id: int) -> datetime | None:
    """Hold a playlist until the transaction ends; answers when it last changed, or None without one."""
    cursor = await conn.execute(
        "select updated_at from playlists where username = %s and id = %s for update",
        [username, playlist_id],
    )
    row: Any = await cursor.fetchone()
    return row[0] if row else None


async def rename_playlist(conn: Connection, username: str, playlist_id: int, name: str | None) -> bool:
    """Set the name, or with None only say that the playlist changed. Locks the playlist until commit."""
    cursor = await conn.execute(
        """
        update playlists set name = coalesce(%s, name), updated_at = now() where username = %s and id = %s
        """,
        [name, username, playlist_id],
    )
    return cursor.rowcount == 1


async def list_entries(conn: Connection, playlist_id: int) -> list[tuple[str, bool]]:
    """(track id, whether it is in the trash) of every entry, in order."""
    cursor = await conn.execute(
        """
        select pt.track_id, t.deleted_at is not null from playlist_tracks pt
        join tracks t using (username, track_id) where pt.playlist_id = %s order by pt.position
        """,
        [playlist_id],
    )
    return [(str(track_id), bool(trashed)) for track_id, trashed in await cursor.fetchall()]


async def set_tracks(conn: Connection, username: str, playlist_id: int, track_ids: Sequence[str]) -> None:
    await conn.execute("delete from playlist_tracks where playlist_id = %s", [playlist_id])
    await conn.execute(
        """
        insert into playlist_tracks (playlist_id, position, username, track_id)
        select %s, place, %s, track_id from unnest(%s::text[]) with ordinality as new (track_id, place)
        """,
        [playlist_id, username, list(track_ids)],
    )


async def delete_playlist(conn: Connection, username: str, playlist_id: int) -> bool:
    cursor = await conn.execute(
        "delete from playlists where username = %s and id = %s", [username, playlist_id]
    )
    return cursor.rowcount == 1
