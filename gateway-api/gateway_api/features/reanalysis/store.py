"""The statements of a re-analysis. All it knows stands in its row, so any gateway can take the next step."""

from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from dj_servicekit.logs import current_request_id
from gateway_api.db import Connection
from gateway_api.features.jobs.models import JobRow
from gateway_api.features.jobs.store import COLUMNS, fetch_row, fetch_rows

# The tracks ``t`` that a re-analysis takes. A version leaves out those that it measured last; the latest
# version that measured anything stands for the engine's own, which the gateway does not ask.
_TAKEN = """
    t.username = %(username)s and t.audio_path is not null and t.deleted_at is null and (
        t.analyzed_at is null
        or case when %(version)s::text is null then not %(only_missing)s else %(version)s is distinct from (
            select a.engine_version from track_analysis a
            where a.username = t.username and a.track_id = t.track_id order by a.analyzed_at desc limit 1
        ) end
    )
"""


@dataclass(frozen=True)
class Members:
    open: int
    failed: int


async def find_latest_version(conn: Connection) -> str | None:
    """The engine of the latest analysis in any collection."""
    cursor = await conn.execute("select engine_version from track_analysis order by analyzed_at desc limit 1")
    row = await cursor.fetchone()
    return str(row[0]) if row else None


async def insert_reanalysis(
    conn: Connection, job_id: str, username: str, *, only_missing: bool, version: str | None
) -> JobRow:
    """Add one, or find the open one of the collection."""
    rows = await fetch_rows(
        conn,
        f"""
        insert into jobs as j (id, username, kind, priority, request_id, payload)
        select %(id)s, %(username)s, 'reanalyze', 10, %(request_id)s,
            %(payload)s::jsonb || jsonb_build_object(
            'total', (select count(*) from tracks t where {_TAKEN}))
        on conflict (username) where state in ('waiting', 'active') and kind = 'reanalyze'
        do update set updated_at = now()
        returning {COLUMNS}
        """,
        {
            "id": job_id,
            "username": username,
            "only_missing": only_missing,
            "version": version,
            "request_id": current_request_id(),
            "payload": Jsonb({"only_missing": only_missing, "version": version, "after": "", "seen": 0}),
        },
    )
    return rows[0]


async def list_open_reanalyses(conn: Connection) -> list[str]:
    cursor = await conn.execute(
        "select id from jobs where kind = 'reanalyze' and state in ('waiting', 'active') order by created_at"
    )
    return [str(row[0]) for row in await cursor.fetchall()]


async def hold_reanalysis(conn: Connection, job_id: str) -> JobRow | None:
    """For one step; None while another gateway holds it, or when it is over."""
    return await fetch_row(
        conn,
        f"""
        select {COLUMNS} from jobs
        where id = %(id)s and state in ('waiting', 'active') for update skip locked
        """,
        {"id": job_id},
    )


async def count_members(conn: Connection, job_id: str) -> Members:
    cursor = await conn.execute(
        """
        select count(*) filter (where state in ('waiting', 'active')),
               count(*) filter (where state = 'failed')
        from jobs where batch_id = %s
        """,
        [job_id],
    )
    row: tuple[Any, ...] = await cursor.fetchone() or (0, 0)
    return Members(row[0], row[1])


async def list_tracks_after(
    conn: Connection, username: str, track_id: str, *, only_missing: bool, version: str | None, limit: int
) -> list[tuple[str, str]]:
    """(track id, audio path) of the next tracks that have a file."""
    cursor = await conn.execute(
        f"""
        select t.track_id, t.audio_path from tracks t where {_TAKEN} and t.track_id > %(after)s
        order by t.track_id limit %(limit)s
        """,
        {
            "username": username,
            "after": track_id,
            "only_missing": only_missing,
            "version": version,
            "limit": limit,
        },
    )
    return [(str(found), str(path)) for found, path in await cursor.fetchall()]


async def insert_members(
    conn: Connection, batch: JobRow, jobs: list[tuple[str, str, dict[str, Any]]]
) -> list[JobRow]:
    """(job id, track id, payload) jobs; a track whose analysis is open already is left to that."""
    return await fetch_rows(
        conn,
        f"""
        insert into jobs (id, username, track_id, kind, payload, priority, batch_id, request_id)
        select new.id, %(username)s, new.track_id, 'analyze', new.payload, %(priority)s, %(batch_id)s,
            %(request_id)s
        from unnest(%(ids)s::text[], %(track_ids)s::text[], %(payloads)s::jsonb[])
             as new (id, track_id, payload)
        on conflict do nothing
        returning {COLUMNS}
        """,
        {
            "username": batch.username,
            "priority": batch.priority,
            "batch_id": batch.id,
            "request_id": batch.request_id,
            "ids": [job[0] for job in jobs],
            "track_ids": [job[1] for job in jobs],
            "payloads": [Jsonb(job[2]) for job in jobs],
        },
    )


async def save_step(
    conn: Connection, job_id: str, *, after: str, seen: int, progress: float, stage: str
) -> JobRow | None:
    return await fetch_row(
        conn,
        f"""
        update jobs set state = 'active', attempts = greatest(attempts, 1), heartbeat_at = now(),
            started_at = coalesce(started_at, now()), progress = %(progress)s, stage = %(stage)s,
            payload = payload || %(place)s::jsonb, updated_at = now()
        where id = %(id)s
        returning {COLUMNS}
        """,
        {
            "id": job_id,
            "progress": progress,
            "stage": stage,
            "place": Jsonb({"after": after, "seen": seen}),
        },
    )


async def save_heartbeat(conn: Connection, job_id: str) -> None:
    await conn.execute("update jobs set heartbeat_at = now() where id = %s", [job_id])


async def complete_reanalysis(conn: Connection, job_id: str, *, tracks: int, failed: int) -> JobRow | None:
    return await fetch_row(
        conn,
        f"""
        update jobs set state = 'completed', progress = 100, stage = 'done', finished_at = now(),
            result = %(result)s, updated_at = now()
        where id = %(id)s
        returning {COLUMNS}
        """,
        {"id": job_id, "result": Jsonb({"tracks": tracks, "failed": failed})},
    )
