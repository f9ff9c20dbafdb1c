"""The statements over the trash. A trashed track keeps its row, so everything that hangs on it stays."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gateway_api.db import Connection
from gateway_api.features.tracks.models import TrackRow
from gateway_api.features.tracks.store import COLUMNS


async def list_trash(
    conn: Connection, username: str, *, limit: int, offset: int
) -> tuple[list[tuple[TrackRow, datetime]], int]:
    cursor = conn.cursor()
    await cursor.execute(
        f"""
        select t.deleted_at, {COLUMNS} from tracks t
        where t.username = %s and t.deleted_at is not null
        order by t.deleted_at desc, t.track_id limit %s offset %s
        """,
        [username, limit, offset],
    )
    rows: list[tuple[Any, ...]] = await cursor.fetchall()
    await cursor.execute(
        "select count(*) from tracks where username = %s and deleted_at is not null", [username]
    )
    counted = await cursor.fetchone()
    return [(TrackRow(*row[1:]), row[0]) for row in rows], int(str(counted[0])) if counted else 0


async def list_existing(conn: Connection, username: str, track_ids: Sequence[str]) -> set[str]:
    """Those of the ids that there are, in the trash or not."""
    cursor = await conn.execute(
        "select track_id from tracks where username = %s and track_id = any(%s) order by 1 for update",
        [username, list(track_ids)],
    )
    return {str(row[0]) for row in await cursor.fetchall()}


async def put_away(conn: Connection, username: str, track_ids: Sequence[str]) -> None:
    await conn.execute(
        """
        update tracks set deleted_at = now(), updated_at = now()
        where username = %s and track_id = any(%s) and deleted_at is null
        """,
        [username, list(track_ids)],
    )


async def restore(conn: Connection, username: str, track_ids: Sequence[str]) -> list[tuple[str, str]]:
    """Bring tracks back; answers (track id, audio path) of those that were put away before they were
    measured, which ended their jobs."""
    cursor = await conn.execute(
        """
        update tracks set deleted_at = null, updated_at = now()
        where username = %s and track_id = any(%s) and deleted_at is not null
        returning track_id, audio_path, analyzed_at is null and audio_path is not null
        """,
        [username, list(track_ids)],
    )
    rows: list[tuple[Any, ...]] = await cursor.fetchall()
    return [(track_id, path) for track_id, path, to_measure in rows if to_measure]


async def delete_for_ever(conn: Connection, username: str, track_id: str | None = None) -> int:
    """Delete one trashed track, or all of them, with everything that hangs on them."""
    cursor = await conn.execute(
        """
        delete from tracks
        where username = %(username)s and deleted_at is not null
          and (%(track_id)s::text is null or track_id = %(track_id)s)
        """,
        {"username": username, "track_id": track_id},
    )
    return cursor.rowcount
