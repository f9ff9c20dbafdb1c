"""The statements about whose file a path is."""

from gateway_api.db import Connection


async def has_audio_path(conn: Connection, username: str, audio_path: str) -> bool:
    cursor = await conn.execute(
        "select 1 from tracks where username = %s and audio_path = %s and deleted_at is null",
        [username, audio_path],
    )
    return await cursor.fetchone() is not None


async def restore_track(conn: Connection, username: str, track_id: str) -> None:
    """Take a track out of the trash, as when its file is uploaded again."""
    await conn.execute(
        """
        update tracks set deleted_at = null, updated_at = now()
        where username = %s and track_id = %s and deleted_at is not null
        """,
        [username, track_id],
    )
