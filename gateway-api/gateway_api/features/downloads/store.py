"""The statements over download preferences and over what recordings sound like."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from psycopg.rows import class_row

from gateway_api.db import Connection
from gateway_api.features.downloads.models import DownloadPreferences, StoredFingerprint


async def lock_preferences(conn: Connection, username: str) -> None:
    """Hold them until the transaction ends, also where nobody has set them yet."""
    await conn.execute("select from friends where username = %s for no key update", [username])


async def find_preferences(conn: Connection, username: str) -> tuple[DownloadPreferences, datetime]:
    """And when they last changed: those that nobody set are as old as time."""
    cursor = await conn.execute(
        "select sources, format, write_tags, updated_at from download_preferences where username = %s",
        [username],
    )
    row: Any = await cursor.fetchone()
    if row is None:
        return DownloadPreferences(), datetime.fromtimestamp(0, UTC)
    wishes = {"sources": row[0], "format": row[1], "write_tags": row[2]}
    return DownloadPreferences.model_validate(wishes), row[3]


async def save_preferences(conn: Connection, username: str, wishes: DownloadPreferences) -> datetime:
    """When they changed."""
    cursor = await conn.execute(
        """
        insert into download_preferences (username, sources, format, write_tags)
        values (%(username)s, %(sources)s, %(format)s, %(write_tags)s)
        on conflict (username) do update set sources = excluded.sources, format = excluded.format,
            write_tags = excluded.write_tags, updated_at = now()
        returning updated_at
        """,
        {"username": username, **wishes.model_dump(mode="json")},
    )
    row: Any = await cursor.fetchone()
    return cast("datetime", row[0])


async def save_fingerprint(
    conn: Connection,
    username: str,
    track_id: str,
    items: bytes,
    keys: Sequence[int],
    duration_seconds: float,
) -> None:
    """Instead of the one there was, if there was one."""
    await delete_fingerprint(conn, username, track_id)
    await conn.execute(
        """
        with taken as (
            insert into track_fingerprints (username, track_id, items, duration_seconds)
            values (%s, %s, %s, %s) returning id
        )
        insert into fingerprint_keys (key, fingerprint_id)
        select key, id from taken, unnest(%s::int[]) as key
        """,
        [username, track_id, items, duration_seconds, list(keys)],
    )


async def delete_fingerprint(conn: Connection, username: str, track_id: str) -> None:
    await conn.execute(
        "delete from track_fingerprints where username = %s and track_id = %s", [username, track_id]
    )


async def find_fingerprint(conn: Connection, username: str, track_id: str) -> StoredFingerprint | None:
    cursor = conn.cursor(row_factory=class_row(StoredFingerprint))
    await cursor.execute(
        """
        select track_id, title, artist, items, f.duration_seconds
        from track_fingerprints f join tracks t using (username, track_id)
        where username = %s and track_id = %s and t.deleted_at is null
        """,
        [username, track_id],
    )
    return await cursor.fetchone()


async def list_alike(
    conn: Connection,
    username: str,
    track_id: str,
    keys: Sequence[int],
    *,
    duration_seconds: float,
    within_seconds: float,
    limit: int,
) -> list[StoredFingerprint]:
    """Other tracks that share keys and are about as long, those that share the most first."""
    cursor = conn.cursor(row_factory=class_row(StoredFingerprint))
    await cursor.execute(
        """
        select track_id, title, artist, items, f.duration_seconds
        from (
            select fingerprint_id, count(*) as shared
            from fingerprint_keys where key = any(%(keys)s::int[]) group by fingerprint_id
        ) as near
        join track_fingerprints f on f.id = fingerprint_id
        join tracks t using (username, track_id)
        where username = %(username)s and track_id <> %(track_id)s and t.deleted_at is null
          and t.audio_path is not null
          and f.duration_seconds between %(duration)s - %(within)s and %(duration)s + %(within)s
        order by shared desc, track_id
        limit %(limit)s
        """,
        {
            "username": username,
            "track_id": track_id,
            "keys": list(keys),
            "duration": duration_seconds,
            "within": within_seconds,
            "limit": limit,
        },
    )
    return await cursor.fetchall()
