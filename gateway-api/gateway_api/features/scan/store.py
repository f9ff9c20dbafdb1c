"""The statements of a scan: which files are known, and rows for those that are new or changed."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from gateway_api.db import Connection
from gateway_api.features.scan.tags import FileTags


@dataclass(frozen=True)
class KnownFile:
    track_id: str
    audio_path: str | None
    audio_size: int | None
    audio_mtime_ns: int | None
    deleted: bool

    def is_still(self, size: int, mtime_ns: int) -> bool:
        return (self.audio_size, self.audio_mtime_ns) == (size, mtime_ns)


@dataclass(frozen=True)
class NewFile:
    track_id: str
    audio_path: str
    size: int
    mtime_ns: int
    tags: FileTags


async def list_known_files(
    conn: Connection, username: str, paths: Sequence[str], track_ids: Sequence[str]
) -> list[KnownFile]:
    """Tracks, in the trash too, that have one of the files or one of the ids that files are given."""
    cursor = conn.cursor(row_factory=class_row(KnownFile))
    await cursor.execute(
        """
        select track_id, audio_path, audio_size, audio_mtime_ns, deleted_at is not null as deleted
        from tracks where username = %s and (audio_path = any(%s) or track_id = any(%s))
        """,
        [username, list(paths), list(track_ids)],
    )
    return await cursor.fetchall()


async def list_missing(
    conn: Connection, username: str, folder: str, seen: Sequence[str]
) -> list[tuple[str, str]]:
    """(track id, path) of the tracks whose file lies below a folder and is not among those that were seen."""
    cursor = await conn.execute(
        """
        select track_id, audio_path from tracks
        where username = %(username)s and deleted_at is null and starts_with(audio_path, %(folder)s)
          and audio_path not in (select unnest(%(seen)s::text[]))
        order by audio_path
        """,
        {"username": username, "folder": folder, "seen": list(seen)},
    )
    return [(str(track_id), str(path)) for track_id, path in await cursor.fetchall()]


async def save_files(conn: Connection, username: str, files: Sequence[NewFile]) -> None:
    """Insert tracks for new files; for changed ones take the new audio and leave what a person may
    have edited (title, artist, ...) as it is."""
    # One statement for all: the triggers of tracks, which keep the words of search, run once for each.
    await conn.execute(
        """
        insert into tracks (username, track_id, title, artist, album, year, genres, bpm, key,
                            duration_seconds, audio_path, audio_size, audio_mtime_ns)
        select %s, track_id, title, artist, album, year, genres, bpm, key,
               duration_seconds, audio_path, size, mtime_ns
        from jsonb_to_recordset(%s) as file (
            track_id text, title text, artist text, album text, year integer, genres text[],
            bpm double precision, key text, duration_seconds double precision,
            audio_path text, size bigint, mtime_ns bigint
        )
        on conflict (username, track_id) do update set
            audio_path = excluded.audio_path, audio_size = excluded.audio_size,
            audio_mtime_ns = excluded.audio_mtime_ns, duration_seconds = excluded.duration_seconds,
            updated_at = now()
        """,
        [username, Jsonb([_as_json(file) for file in files])],
    )


def _as_json(file: NewFile) -> dict[str, Any]:
    fields = asdict(file)
    tags: dict[str, Any] = fields.pop("tags")
    return fields | tags
