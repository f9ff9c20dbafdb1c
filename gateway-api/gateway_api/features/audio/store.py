"""The statements about whose file a path is."""

from typing import Any

from gateway_api.db import Connection


async def has_audio_path(conn: Connection, username: str, audio_path: str) -> bool:
    cursor = await conn.execute(
        "select 1 from tracks where username = %s and audio_path = %s and deleted_at is null",
        [username, audio_path],
    )
    return await cursor.fetchone() is not None


async def find_audio_path(conn: Connection, username: str, track_id: str) -> tuple[str | None, bool]:
    """(stored path, whether there is such a track)."""
    cursor = await conn.execute(
        "select audio_path from tracks where username = %s and track_id = %s and deleted_at is null",
        [username, track_id],
    )
    row: Any = await cursor.fetchone()
    return (row[0], True) if row else (None, False)


async def restore_track(conn: Connection, username: str, track_id: str) -> None:
    """Take a track out of the trash, as when its file is uploaded again."""
    await conn.execute(
        """
        update tracks set deleted_at = null, updated_at = now()
        where username = %s and track_id = %s and deleted_at is not null
        """,
        [username, track_id],
    )
