"""The statements over duplicates: same recordings, and what a merge moves from track to track.

It is whole, so that what a merge does stands beside what undoes it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from gateway_api.db import Connection
from gateway_api.features.duplicates.models import MergeRow
from gateway_api.features.tracks.models import TrackRow
from gateway_api.features.tracks.store import COLUMNS

# What a track takes over where it has nothing itself.
FILLED = (
    "year",
    "position",
    "duration_seconds",
    "bpm",
    "key",
    "energy",
    "danceability",
    "mood_happy",
    "mood_sad",
    "mood_relaxed",
    "mood_aggressive",
    "notes",
    "star_rating",
    "discogs_url",
    "apple_music_url",
    "spotify_url",
    "youtube_url",
    "soundcloud_url",
    "album_thumbnail",
    "release_id",
    "library_identifier",
    "cover_path",
)
FILE = ("audio_path", "audio_size", "audio_mtime_ns", "analyzed_at")
TEXTS = ("album", "artist")
LISTS = ("genres", "styles", "local_tags")
STATE = (*FILLED, *FILE, *TEXTS, *LISTS)
_MERGE = "id, username, kept, dropped, undo, merged_at, undone_at"


async def list_recordings(
    conn: Connection, username: str, *, after: str, limit: int
) -> list[tuple[str, list[TrackRow]]]:
    """(recording, its tracks) of those that stand under several ids, in the order of the recording."""
    cursor = conn.cursor()
    await cursor.execute(
        f"""
        with twice as (
            select recording from tracks
            where username = %(username)s and deleted_at is null and recording > %(after)s
            group by recording having count(*) > 1 order by recording limit %(limit)s
        )
        select t.recording, {COLUMNS} from twice join tracks t using (recording)
        where t.username = %(username)s and t.deleted_at is null order by t.recording, t.track_id
        """,
        {"username": username, "after": after, "limit": limit},
    )
    found: dict[str, list[TrackRow]] = {}
    rows: list[tuple[Any, ...]] = await cursor.fetchall()
    for recording, *columns in rows:
        found.setdefault(recording, []).append(TrackRow(*columns))
    return list(found.items())


async def list_fingerprinted(conn: Connection, username: str, *, after: str, limit: int) -> list[str]:
    """Tracks whose sound is known well enough to find others by, in the order of their ids."""
    cursor = await conn.execute(
        """
        select f.track_id from track_fingerprints f join tracks t using (username, track_id)
        where f.username = %s and f.track_id > %s and t.deleted_at is null
            and exists (select from fingerprint_keys k where k.fingerprint_id = f.id)
        order by f.track_id limit %s
        """,
        [username, after, limit],
    )
    return [str(row[0]) for row in await cursor.fetchall()]


async def read_states(conn: Connection, username: str, track_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Track id -> the columns that a merge may change, as JSON has them."""
    fields = ", ".join(f"'{name}', t.{name}" for name in STATE)
    cursor = await conn.execute(
        f"""
        select t.track_id, jsonb_build_object({fields}) from tracks t
        where t.username = %s and t.track_id = any(%s)
        """,
        [username, list(track_ids)],
    )
    rows: list[Any] = await cursor.fetchall()
    return {str(track_id): dict(state) for track_id, state in rows}


async def write_state(conn: Connection, username: str, track_id: str, state: Mapping[str, Any]) -> None:
    """Set columns from JSON, each by the type that the table gives it."""
    if state:
        assignments = ", ".join(f"{name} = new.{name}" for name in STATE if name in state)
        await conn.execute(
            f"""
            update tracks t set {assignments}, updated_at = now()
            from jsonb_populate_record(null::tracks, %s) as new
            where t.username = %s and t.track_id = %s
            """,
            [Jsonb(dict(state)), username, track_id],
        )


async def copy_corrections(
    conn: Connection, username: str, source: str, target: str, fields: Sequence[str]
) -> list[str]:
    """Take over corrections of these fields; answers which there were."""
    cursor = await conn.execute(
        """
        insert into track_corrections (username, track_id, field, value, corrected_at)
        select username, %s, field, value, corrected_at from track_corrections
        where username = %s and track_id = %s and field = any(%s)
        on conflict do nothing returning field
        """,
        [target, username, source, list(fields)],
    )
    return [str(row[0]) for row in await cursor.fetchall()]


async def drop_corrections(conn: Connection, username: str, track_id: str, fields: Sequence[str]) -> None:
    await conn.execute(
        "delete from track_corrections where username = %s and track_id = %s and field = any(%s)",
        [username, track_id, list(fields)],
    )


async def take_over_sound(conn: Connection, username: str, source: str, target: str) -> dict[str, list[str]]:
    """How the file sounds goes with it: its fingerprint moves, its analyses and its vector are copied.
    Answers what the target had: the engines of its analyses, and the models of its vectors."""
    names = {"username": username, "source": source, "target": target}
    cursor = await conn.execute(
        """
        select array(select engine_version from track_analysis
                     where username = %(username)s and track_id = %(target)s),
               array(select model from track_embeddings
                     where username = %(username)s and track_id = %(target)s and kind = 'audio')
        """,
        names,
    )
    had: Any = await cursor.fetchone()
    await _copy_sound(conn, names)
    await _move_fingerprint(conn, names)
    return {"analyses": had[0], "vectors": had[1]}


async def give_back_sound(
    conn: Connection, username: str, source: str, target: str, had: Mapping[str, list[str]] | None
) -> None:
    """Undo ``take_over_sound``. What the file was measured by since goes back with it. Without ``had``, which
    the first merges did not note, nothing is deleted."""
    names: dict[str, Any] = {"username": username, "source": target, "target": source}
    await _copy_sound(conn, names)
    await _move_fingerprint(conn, names)
    if had is None:
        return
    names |= had
    await conn.execute(
        """
        delete from track_analysis where username = %(username)s and track_id = %(source)s
          and engine_version <> all(%(analyses)s::text[])
        """,
        names,
    )
    await conn.execute(
        """
        delete from track_embeddings where username = %(username)s and track_id = %(source)s
          and kind = 'audio' and model <> all(%(vectors)s::text[])
        """,
        names,
    )


async def _copy_sound(conn: Connection, names: Mapping[str, Any]) -> None:
    await conn.execute(
        """
        insert into track_analysis (username, track_id, engine_version, result, analyzed_at)
        select username, %(target)s, engine_version, result, analyzed_at from track_analysis
        where username = %(username)s and track_id = %(source)s
        on conflict do nothing
        """,
        names,
    )
    await conn.execute(
        """
        insert into track_embeddings (username, track_id, kind, model, dims, embedding)
        select username, %(target)s, kind, model, dims, embedding from track_embeddings
        where username = %(username)s and track_id = %(source)s and kind = 'audio'
        on conflict do nothing
        """,
        names,
    )


async def _move_fingerprint(conn: Connection, names: Mapping[str, Any]) -> None:
    await conn.execute(
        """
        update track_fingerprints f set track_id = %(target)s
        where f.username = %(username)s and f.track_id = %(source)s
          and not exists (select from track_fingerprints o
                          where o.username = f.username and o.track_id = %(target)s)
        """,
        names,
    )


async def list_unmeasured(conn: Connection, username: str, track_ids: Sequence[str]) -> list[tuple[str, str]]:
    """(track id, audio path) of those that have a file that was not measured."""
    cursor = await conn.execute(
        """
        select track_id, audio_path from tracks
        where username = %s and track_id = any(%s) and audio_path is not null and analyzed_at is null
        """,
        [username, list(track_ids)],
    )
    return [(str(track_id), str(path)) for track_id, path in await cursor.fetchall()]


async def move_entries(conn: Connection, username: str, source: str, target: str) -> dict[str, list[Any]]:
    """Playlists that have the source get the target in its place, or lose the source where they have both.
    Answers the playlists of the first kind, and playlist and position of the second."""
    cursor = await conn.execute(
        """
        delete from playlist_tracks pt where pt.username = %(username)s and pt.track_id = %(source)s
          and exists (select from playlist_tracks o
                      where o.playlist_id = pt.playlist_id and o.track_id = %(target)s)
        returning playlist_id, position
        """,
        {"username": username, "source": source, "target": target},
    )
    removed = [list(row) for row in await cursor.fetchall()]
    cursor = await conn.execute(
        """
        update playlist_tracks set track_id = %s where username = %s and track_id = %s
        returning playlist_id
        """,
        [target, username, source],
    )
    return {"replaced": [row[0] for row in await cursor.fetchall()], "removed": removed}


async def give_back_entries(
    conn: Connection, username: str, source: str, target: str, moved: Mapping[str, list[Any]]
) -> None:
    """Undo ``move_entries`` in those playlists that are as it left them. An entry goes back to its place,
    or to the end where that is taken."""
    await conn.execute(
        """
        update playlist_tracks pt set track_id = %(source)s
        where pt.username = %(username)s and pt.track_id = %(target)s and pt.playlist_id = any(%(playlists)s)
          and not exists (select from playlist_tracks o
                          where o.playlist_id = pt.playlist_id and o.track_id = %(source)s)
        """,
        {"username": username, "source": source, "target": target, "playlists": moved["replaced"]},
    )
    for playlist_id, position in moved["removed"]:
        await conn.execute(
            """
            insert into playlist_tracks (playlist_id, position, username, track_id)
            select p.id, case when exists (select from playlist_tracks o
                                           where o.playlist_id = p.id and o.position = %(position)s)
                              then (select max(o.position) + 1 from playlist_tracks o
                                    where o.playlist_id = p.id)
                              else %(position)s end, p.username, %(source)s
            from playlists p where p.id = %(playlist)s and p.username = %(username)s
            on conflict do nothing
            """,
            {"playlist": playlist_id, "position": position, "username": username, "source": source},
        )


async def move_plays(conn: Connection, username: str, source: str, target: str) -> list[int]:
    """Plays of the source become plays of the target, but where it has one of the same moment."""
    cursor = await conn.execute(
        """
        update plays p set track_id = %(target)s where p.username = %(username)s and p.track_id = %(source)s
          and not exists (select from plays o where o.username = p.username and o.track_id = %(target)s
                          and o.played_at = p.played_at)
        returning id
        """,
        {"username": username, "source": source, "target": target},
    )
    return [int(str(row[0])) for row in await cursor.fetchall()]


async def give_back_plays(conn: Connection, username: str, target: str, play_ids: Sequence[int]) -> None:
    await conn.execute(
        "update plays set track_id = %s where username = %s and id = any(%s)",
        [target, username, list(play_ids)],
    )


async def insert_merge(
    conn: Connection, username: str, kept: str, dropped: Sequence[str], undo: Mapping[str, Any]
) -> MergeRow:
    cursor = conn.cursor(row_factory=class_row(MergeRow))
    await cursor.execute(
        f"""
        insert into track_merges (username, kept, dropped, undo) values (%s, %s, %s, %s)
        returning {_MERGE}
        """,
        [username, kept, list(dropped), Jsonb(dict(undo))],
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - an insert that returns either gives a row or raises
    return row


async def list_merges(conn: Connection, username: str, *, limit: int, offset: int) -> list[MergeRow]:
    cursor = conn.cursor(row_factory=class_row(MergeRow))
    await cursor.execute(
        f"select {_MERGE} from track_merges where username = %s order by id desc limit %s offset %s",
        [username, limit, offset],
    )
    return await cursor.fetchall()


async def lock_merge(conn: Connection, username: str, merge_id: int) -> MergeRow | None:
    cursor = conn.cursor(row_factory=class_row(MergeRow))
    await cursor.execute(
        f"select {_MERGE} from track_merges where username = %s and id = %s for update", [username, merge_id]
    )
    return await cursor.fetchone()


async def has_later_merge(conn: Connection, username: str, merge_id: int, track_ids: Sequence[str]) -> bool:
    """Whether any of these tracks was merged again afterwards, and still is."""
    cursor = await conn.execute(
        """
        select exists (select from track_merges where username = %s and id > %s and undone_at is null
                       and (kept = any(%s) or dropped && %s::text[]))
        """,
        [username, merge_id, list(track_ids), list(track_ids)],
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


async def mark_undone(conn: Connection, merge_id: int) -> MergeRow:
    cursor = conn.cursor(row_factory=class_row(MergeRow))
    await cursor.execute(
        f"update track_merges set undone_at = now() where id = %s returning {_MERGE}", [merge_id]
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - the row is locked by this transaction
    return row
