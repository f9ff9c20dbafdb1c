"""The statements about whose file a path is, and what its content was when it was last read."""

from collections.abc import Mapping, Sequence
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


async def list_checksums(conn: Connection, audio_paths: Sequence[str]) -> Mapping[str, tuple[str, str]]:
    """Path -> (ETag, SHA-256) of the files that were read through before."""
    cursor = await conn.execute(
        "select audio_path, etag, sha256 from audio_checksums where audio_path = any(%s)",
        [list(audio_paths)],
    )
    rows: list[Any] = await cursor.fetchall()
    return {path: (etag, sha256) for path, etag, sha256 in rows}


async def save_checksum(conn: Connection, audio_path: str, etag: str, sha256: str) -> None:
    await conn.execute(
        """
        insert into audio_checksums (audio_path, etag, sha256) values (%s, %s, %s)
        on conflict (audio_path) do update set etag = excluded.etag, sha256 = excluded.sha256
        """,
        [audio_path, etag, sha256],
    )
