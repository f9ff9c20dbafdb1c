"""The statements over tracks, their corrections and their analyses."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from dj_contracts.analysis import AnalysisResult
from dj_contracts.keys import ALL_KEYS
from dj_contracts.tracks import Track
from gateway_api.db import Connection
from gateway_api.features.tracks.conditions import sql_conditions
from gateway_api.features.tracks.filters import TrackFilter
from gateway_api.features.tracks.models import MEASURED, ListedTrack, ShownTrack, TrackRow

_CORRECTED = """array(
        select c.field from track_corrections c
        where c.username = {0}.username and c.track_id = {0}.track_id order by c.field
    )"""
COLUMNS = f"""
    t.username, t.track_id, t.title, t.artist, t.album, t.year, t.genres, t.styles, t.local_tags,
    t.position, t.duration_seconds, t.bpm, t.key, t.energy, t.danceability, t.mood_happy,
    t.mood_sad, t.mood_relaxed, t.mood_aggressive, t.notes, t.star_rating, t.discogs_url,
    t.apple_music_url, t.spotify_url, t.youtube_url, t.soundcloud_url, t.album_thumbnail,
    t.release_id, t.library_identifier, t.audio_path, t.analyzed_at, t.created_at, t.updated_at,
    {_CORRECTED.format("t")} as corrected
"""
SORTS = {
    "added": "t.created_at",
    "title": "dj_fold(t.title)",
    "artist": "dj_fold(t.artist)",
    "bpm": "t.bpm",
}
# What Postgres writes as JSON the gateway passes on: tracks that it reads, checks and writes itself take it
# twice as long. A test holds the two ways to show a track together.
_CAMELOT = json.dumps({key.name: key.camelot for key in ALL_KEYS})
_MOMENT = """replace(
        to_char(page.{0} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '.000000Z', 'Z'
    )"""
_DERIVED = {
    **{name: _MOMENT.format(name) for name in ("analyzed_at", "created_at", "updated_at")},
    "duration": """case
        when page.seconds < 3600 then page.seconds / 60 || to_char(mod(page.seconds, 60), '":"FM00')
        else page.seconds / 3600
             || to_char(mod(page.seconds / 60, 60), '":"FM00') || to_char(mod(page.seconds, 60), '":"FM00')
    end""",
    "camelot": f"'{_CAMELOT}'::jsonb ->> page.key",
    "local_audio_url": "page.audio_path",
    "has_audio": "page.audio_path is not null",
    "corrected": _CORRECTED.format("page"),
}
_AS_ANSWERED = ", ".join(f"{_DERIVED.get(name, f'page.{name}')} as {name}" for name in Track.model_fields)
_SHOWN_FROM = "round(t.duration_seconds)::bigint as seconds, t.*"
_SHOWN = f"cross join lateral (select row_to_json(shown) as json from (select {_AS_ANSWERED}) shown) shown"
_CURSOR_TYPES = {"added": "timestamptz", "title": "text", "artist": "text", "bpm": "double precision"}


async def find_track(conn: Connection, username: str, track_id: str) -> TrackRow | None:
    cursor = conn.cursor(row_factory=class_row(TrackRow))
    await cursor.execute(
        f"select {COLUMNS} from tracks t where t.username = %s and t.track_id = %s and t.deleted_at is null",
        [username, track_id],
    )
    return await cursor.fetchone()


async def show_track(conn: Connection, username: str, track_id: str) -> ShownTrack | None:
    """A track as it is answered."""
    cursor = conn.cursor(row_factory=class_row(ShownTrack))
    await cursor.execute(
        f"""
        select page.updated_at, shown.json::text from (
            select {_SHOWN_FROM} from tracks t
            where t.username = %s and t.track_id = %s and t.deleted_at is null
        ) page {_SHOWN}
        """,
        [username, track_id],
    )
    return await cursor.fetchone()


async def list_by_id(conn: Connection, username: str, track_ids: Sequence[str]) -> list[TrackRow]:
    """The tracks of these ids that exist, in the order of the ids."""
    cursor = conn.cursor(row_factory=class_row(TrackRow))
    await cursor.execute(
        f"""
        select {COLUMNS} from unnest(%s::text[]) with ordinality as wanted (track_id, place)
        join tracks t on t.username = %s and t.track_id = wanted.track_id
        where t.deleted_at is null order by wanted.place
        """,
        [list(track_ids), username],
    )
    return await cursor.fetchall()


async def list_tracks(
    conn: Connection,
    username: str,
    *,
    filters: TrackFilter,
    sort: str,
    after: tuple[str, str, str] | None,
    limit: int,
) -> list[ListedTrack]:
    """A page in the order of ``sort``, as it is answered."""
    key = SORTS[sort]
    conditions, parameters = sql_conditions(filters.clauses())
    prepare = False if conditions else None  # a plan for any filter suits few of them
    if sort == "bpm":
        conditions.append("t.bpm is not null")
    if after is not None:
        conditions.append(
            f"({key}, t.track_id, t.username)"
            f" > (%(value)s::{_CURSOR_TYPES[sort]}, %(track_id)s, %(username)s)"
        )
        parameters |= {"value": after[0], "track_id": after[1], "username": after[2]}
    where = " and ".join(["t.username = mine.username", "t.deleted_at is null", *conditions])
    cursor = conn.cursor(row_factory=class_row(ListedTrack))
    # Each collection's page comes in the order of an index; then they are merged, and mostly it is one.
    await cursor.execute(
        f"""
        select page.place::text as place, page.track_id, page.username, shown.json::text
        from unnest(%(owners)s::text[]) as mine (username)
        cross join lateral (
            select {key} as place, {_SHOWN_FROM} from tracks t
            where {where} order by {key}, t.track_id limit %(limit)s
        ) page {_SHOWN}
        order by page.place, page.track_id, page.username limit %(limit)s
        """,
        parameters | {"owners": filters.owner or [username], "limit": limit},
        prepare=prepare,
    )
    return await cursor.fetchall()


async def estimate_count(conn: Connection, where: str, parameters: Mapping[str, Any]) -> int:
    """How many tracks the planner takes to pass; it knows how common words and values are."""
    cursor = await conn.execute(f"explain (format json) select from tracks t where {where}", parameters)
    row: tuple[Any, ...] | None = await cursor.fetchone()
    return int(row[0][0]["Plan"]["Plan Rows"]) if row else 0


async def lock_track(conn: Connection, username: str, track_id: str) -> bool:
    """Hold a living track until the transaction ends, so that a correction and an analysis that arrive
    together do not overwrite each other; False when there is none."""
    cursor = await conn.execute(
        "select 1 from tracks where username = %s and track_id = %s and deleted_at is null for update",
        [username, track_id],
    )
    return await cursor.fetchone() is not None


async def lock_tracks(conn: Connection, username: str, track_ids: Sequence[str]) -> dict[str, datetime]:
    """Hold those of the tracks that live; answers which they are, and when each last changed."""
    cursor = await conn.execute(
        """
        select track_id, updated_at from tracks
        where username = %s and track_id = any(%s) and deleted_at is null
        order by track_id for update
        """,
        [username, list(track_ids)],
    )
    rows: list[Any] = await cursor.fetchall()
    return dict(rows)


async def change_tags(
    conn: Connection, username: str, track_ids: Sequence[str], *, add: Sequence[str], remove: Sequence[str]
) -> None:
    """Take tags away and then add others; the order of those that stay is kept, and none stands twice."""
    await conn.execute(
        """
        update tracks t set updated_at = now(), local_tags = (
            select coalesce(array_agg(tag order by place), '{}') from (
                select tag, min(place) as place
                from unnest(array(select kept from unnest(t.local_tags) as kept where kept <> all(%s))
                            || %s::text[]) with ordinality as both_kinds (tag, place)
                where tag <> '' group by tag
            ) once
        )
        where username = %s and track_id = any(%s)
        """,
        [list(remove), list(add), username, list(track_ids)],
    )


async def insert_track(conn: Connection, username: str, track_id: str, fields: Mapping[str, Any]) -> None:
    names = ["username", "track_id", *fields]
    await conn.execute(
        f"insert into tracks ({', '.join(names)}) values ({', '.join(['%s'] * len(names))})",
        [username, track_id, *fields.values()],
    )


async def update_track(conn: Connection, username: str, track_id: str, fields: Mapping[str, Any]) -> bool:
    """Set columns of a living track; False when there is none."""
    assignments = "".join(f"{name} = %s, " for name in fields)
    cursor = await conn.execute(
        f"""
        update tracks set {assignments} updated_at = now()
        where username = %s and track_id = %s and deleted_at is null
        """,
        [*fields.values(), username, track_id],
    )
    return cursor.rowcount == 1


async def soft_delete_track(conn: Connection, username: str, track_id: str) -> bool:
    cursor = await conn.execute(
        """
        update tracks set deleted_at = now(), updated_at = now()
        where username = %s and track_id = %s and deleted_at is null
        """,
        [username, track_id],
    )
    return cursor.rowcount == 1


async def save_corrections(
    conn: Connection, username: str, track_id: str, corrections: Mapping[str, Any]
) -> None:
    for field, value in corrections.items():
        if value is None:
            await conn.execute(
                "delete from track_corrections where username = %s and track_id = %s and field = %s",
                [username, track_id, field],
            )
        else:
            await conn.execute(
                """
                insert into track_corrections (username, track_id, field, value)
                values (%s, %s, %s, %s)
                on conflict (username, track_id, field)
                do update set value = excluded.value, corrected_at = now()
                """,
                [username, track_id, field, Jsonb(value)],
            )


async def save_analysis(conn: Connection, username: str, track_id: str, result: AnalysisResult) -> None:
    await conn.execute(
        """
        insert into track_analysis (username, track_id, engine_version, result)
        values (%s, %s, %s, %s)
        on conflict (username, track_id, engine_version)
        do update set result = excluded.result, analyzed_at = now()
        """,
        [username, track_id, result.engine_version, Jsonb(result.model_dump(mode="json"))],
    )


async def find_analysis(conn: Connection, username: str, track_id: str) -> AnalysisResult | None:
    """The newest analysis of a track."""
    cursor = await conn.execute(
        """
        select a.result from track_analysis a
        join tracks t using (username, track_id)
        where a.username = %s and a.track_id = %s and t.deleted_at is null
        order by a.analyzed_at desc limit 1
        """,
        [username, track_id],
    )
    row = await cursor.fetchone()
    return AnalysisResult.model_validate(row[0]) if row else None


async def list_corrections(conn: Connection, username: str, track_id: str) -> dict[str, Any]:
    cursor = await conn.execute(
        "select field, value from track_corrections where username = %s and track_id = %s",
        [username, track_id],
    )
    return {str(field): value for field, value in await cursor.fetchall()}


def measured_values(result: AnalysisResult) -> dict[str, Any]:
    """What an analysis says of the fields that a person may correct."""
    values: dict[str, Any] = {
        "bpm": result.tempo.bpm,
        "key": result.key.name,
        "energy": result.energy.level,
        "danceability": result.danceability,
    }
    values |= {name: result.moods.get(name.removeprefix("mood_")) for name in MEASURED[4:]}
    return values
