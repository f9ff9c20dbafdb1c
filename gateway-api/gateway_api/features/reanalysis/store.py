"""The statements of a re-analysis. All it knows stands in its row, so any gateway can take the next step."""

from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from dj_servicekit.logs import current_request_id
from gateway_api.db import Connection
from gateway_api.features.jobs.models import JobRow
from gateway_api.features.jobs.store import COLUMNS, fetch_row, fetch_rows


@dataclass(frozen=True)
class Members:
    open: int
    failed: int


async def insert_reanalysis(conn: Connection, job_id: str, username: str, *, only_missing: bool) -> JobRow:
    """Add one, or find the open one of the collection."""
    rows = await fetch_rows(
        conn,
        f"""
        insert into jobs as j (id, username, kind, priority, request_id, payload)
        select %(id)s, %(username)s, 'reanalyze', 10, %(request_id)s,
            %(payload)s::jsonb || jsonb_build_object(
            'total', (select count(*) from tracks
                      where username = %(username)s and audio_path is not null and deleted_at is null
                        and (analyzed_at is null or not %(only_missing)s)))
        on conflict (username) where state in ('waiting', 'active') and kind = 'reanalyze'
        do update set updated_at = now()
        returning {COLUMNS}
        """,
        {
            "id": job_id,
            "username": username,
            "only_missing": only_missing,
            "request_id": current_request_id(),
            "payload": Jsonb({"only_missing": only_missing, "after": "", "seen": 0}),
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
    conn: Connection, username: str, track_id: str, *, only_missing: bool, limit: int
) -> list[tuple[str, str]]:
    """(track id, audio path) of the next tracks that have a file."""
    cursor = await conn.execute(
        """
        select track_id, audio_path from tracks
        where username = %(username)s and track_id > %(after)s
          and audio_path is not null and deleted_at is null and (analyzed_at is null or not %(only_missing)s)
        order by track_id limit %(limit)s
        """,
        {"username": username, "after": track_id, "only_missing": only_missing, "limit": limit},
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
