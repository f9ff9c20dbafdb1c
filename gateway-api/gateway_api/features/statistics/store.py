"""One statement that reads the tracks of a collection once and counts them every way."""

from collections.abc import Mapping
from typing import Any

from psycopg.rows import dict_row

from gateway_api.db import Connection
from gateway_api.features.tracks.filters import TrackFilter

_TOP = 25


async def read_statistics(conn: Connection, username: str, filters: TrackFilter) -> Mapping[str, Any]:
    conditions, parameters = filters.conditions()
    where = " and ".join(["t.username = any(%(owners)s)", "t.deleted_at is null", *conditions])

    def steps(expression: str) -> str:
        return f"""(
            select coalesce(json_agg(json_build_object('start', start, 'tracks', tracks)
                                     order by start), '[]')
            from (select {expression} as start, count(*) as tracks from mine group by 1) s
            where start is not null
        )"""

    def top(query: str) -> str:
        return f"""(
            select coalesce(json_agg(json_build_object('name', name, 'tracks', tracks)
                                     order by tracks desc, name), '[]')
            from (select name, count(*) as tracks from ({query}) names where name <> ''
                  group by name order by 2 desc, 1 limit {_TOP}) s
        )"""

    cursor = conn.cursor(row_factory=dict_row)
    await cursor.execute(
        f"""
        with mine as materialized (
            select t.username, t.track_id, t.title, t.artist, t.bpm, t.key, t.energy, t.year, t.star_rating,
                   t.genres, t.styles, t.local_tags, t.release_id, t.duration_seconds, t.audio_path,
                   t.analyzed_at, t.created_at
            from tracks t where {where}
        )
        select (select count(*) from mine) as tracks,
               (select count(*) from mine where audio_path is not null) as with_audio,
               (select count(*) from mine where analyzed_at is not null) as analyzed,
               (select count(*) from mine where star_rating is not null) as rated,
               (select round((coalesce(sum(duration_seconds), 0) / 3600)::numeric, 1)::float8
                from mine) as hours,
               {steps("(floor(bpm / 5) * 5)::integer")} as tempo,
               {steps("round(energy)::integer")} as energy,
               {steps("year / 10 * 10")} as decades,
               {steps("star_rating")} as ratings,
               (select coalesce(json_object_agg(key, tracks), '{{}}')
                from (select key, count(*) as tracks from mine where key is not null group by key) k) as keys,
               {
            top('''select a.label as name from mine join albums a
                       using (username, release_id)''')
        } as labels,
               {
            top('''select distinct username, track_id,
                       unnest(genres || styles) as name from mine''')
        } as genres,
               {top("select unnest(local_tags) as name from mine")} as tags,
               {top("select artist as name from mine")} as artists,
               (select coalesce(json_agg(json_build_object('name', month, 'tracks', tracks)
                                         order by month desc), '[]')
                from (select to_char(created_at at time zone 'UTC', 'YYYY-MM') as month, count(*) as tracks
                      from mine group by 1 order by 1 desc limit {_TOP}) m) as added,
               (select coalesce(json_agg(p order by plays desc, track_id), '[]')
                from (select mine.track_id, mine.title, mine.artist, count(*) as plays
                      from plays join mine using (username, track_id)
                      group by 1, 2, 3 order by 4 desc, 1 limit {_TOP}) p) as most_played
        """,
        parameters | {"owners": filters.owner or [username]},
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - aggregates always give a row
    return row
