"""The statements that find a track's waveform and its cover."""

from dataclasses import dataclass
from typing import Any

from gateway_api.db import Connection
from gateway_api.features.pictures.waveform import StoredWaveform


@dataclass(frozen=True)
class CoverRow:
    cover_path: str | None


async def find_cover(conn: Connection, username: str, track_id: str) -> CoverRow | None:
    cursor = await conn.execute(
        """
        select t.cover_path from tracks t
        where t.username = %s and t.track_id = %s and t.deleted_at is null
        """,
        [username, track_id],
    )
    row: Any = await cursor.fetchone()
    return CoverRow(row[0]) if row else None


async def find_waveform(conn: Connection, username: str, track_id: str) -> StoredWaveform | None:
    """Of the newest analysis that has one. Only these fields are read: an analysis has thousands of beats."""
    cursor = await conn.execute(
        """
        select coalesce((a.result ->> 'duration_seconds')::float8, 0), a.result -> 'waveform' ->> 'overview',
               a.result -> 'waveform' ->> 'detail',
               (a.result -> 'waveform' ->> 'detail_per_second')::float8,
               a.engine_version || to_char(a.analyzed_at, 'YYYYMMDDHH24MISSUS')
        from track_analysis a join tracks t using (username, track_id)
        where a.username = %s and a.track_id = %s and t.deleted_at is null
          and jsonb_typeof(a.result -> 'waveform') = 'object'
        order by a.analyzed_at desc limit 1
        """,
        [username, track_id],
    )
    row: Any = await cursor.fetchone()
    return StoredWaveform.decode(*row) if row else None
