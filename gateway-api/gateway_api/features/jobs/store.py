"""The statements over jobs. Every change of state is one statement that says from which state.

It is whole, past 300 lines, because the changes of state are to be read against each other.
"""

from collections.abc import Sequence
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from dj_contracts.downloads import SourceTry
from dj_contracts.errors import ErrorCode
from dj_contracts.jobs import JobKind, JobProgress, JobState
from gateway_api.db import Connection
from gateway_api.features.jobs.models import JobRow

_COLUMNS = """
    id, username, track_id, kind, state, payload, attempts, tries_before, progress, stage,
    error_code, error, result, bytes_done, bytes_total, bytes_per_second, tried,
    created_at, updated_at, finished_at
"""


async def _rows(conn: Connection, query: str, parameters: dict[str, Any]) -> list[JobRow]:
    cursor = conn.cursor(row_factory=class_row(JobRow))
    await cursor.execute(query, parameters)
    return await cursor.fetchall()


async def _row(conn: Connection, query: str, parameters: dict[str, Any]) -> JobRow | None:
    rows = await _rows(conn, query, parameters)
    return rows[0] if rows else None


async def insert_track_jobs(
    conn: Connection, username: str, kind: JobKind, jobs: Sequence[tuple[str, str, dict[str, Any]]]
) -> list[JobRow]:
    """Add (job id, track id, payload) jobs. A track that has an open one of the kind keeps it: waiting, it
    takes the new payload; under way, it runs again afterwards, for the file may have changed meanwhile."""
    return await _rows(
        conn,
        f"""
        insert into jobs as j (id, username, track_id, kind, payload)
        select new.id, %(username)s, new.track_id, %(kind)s, new.payload
        from unnest(%(ids)s::text[], %(track_ids)s::text[], %(payloads)s::jsonb[])
             as new (id, track_id, payload)
        on conflict (username, kind, track_id) where state in ('waiting', 'active') and track_id is not null
        do update set payload = excluded.payload, rerun = j.state = 'active', updated_at = now()
        returning {_COLUMNS}
        """,
        {
            "username": username,
            "kind": kind,
            "ids": [job[0] for job in jobs],
            "track_ids": [job[1] for job in jobs],
            "payloads": [Jsonb(job[2]) for job in jobs],
        },
    )


async def insert_scan(conn: Connection, job_id: str, username: str, path: str) -> JobRow:
    """Add a scan of a folder, or find the open one of the same folder."""
    rows = await _rows(
        conn,
        f"""
        insert into jobs as j (id, username, kind, payload) values (%(id)s, %(username)s, 'scan', %(payload)s)
        on conflict (username, (payload ->> 'path')) where state in ('waiting', 'active') and kind = 'scan'
        do update set updated_at = now()
        returning {_COLUMNS}
        """,
        {"id": job_id, "username": username, "payload": Jsonb({"path": path})},
    )
    return rows[0]


async def find_job(conn: Connection, job_id: str, username: str | None = None) -> JobRow | None:
    return await _row(
        conn,
        f"""
        select {_COLUMNS} from jobs
        where id = %(id)s and (%(username)s::text is null or username = %(username)s)
        """,
        {"id": job_id, "username": username},
    )


async def list_jobs(
    conn: Connection,
    username: str,
    *,
    state: JobState | None,
    track_id: str | None,
    limit: int,
    offset: int,
) -> list[JobRow]:
    return await _rows(
        conn,
        f"""
        select {_COLUMNS} from jobs
        where username = %(username)s and (%(state)s::text is null or state = %(state)s)
          and (%(track_id)s::text is null or track_id = %(track_id)s)
        order by created_at desc, id desc limit %(limit)s offset %(offset)s
        """,
        {"username": username, "state": state, "track_id": track_id, "limit": limit, "offset": offset},
    )


async def count_jobs(conn: Connection, username: str, track_id: str | None) -> dict[JobState, int]:
    cursor = await conn.execute(
        """
        select state, count(*) from jobs
        where username = %(username)s and (%(track_id)s::text is null or track_id = %(track_id)s)
        group by state
        """,
        {"username": username, "track_id": track_id},
    )
    counted = {JobState(str(state)): int(str(count)) for state, count in await cursor.fetchall()}
    return {state: counted.get(state, 0) for state in JobState}


async def claim_job(conn: Connection, job_id: str) -> JobRow | None:
    return await _row(
        conn,
        f"""
        update jobs set state = 'active', attempts = attempts + 1, progress = 0, stage = 'started',
            rerun = false, error_code = null, error = null, heartbeat_at = now(), updated_at = now(),
            bytes_done = null, bytes_total = null, bytes_per_second = null, tried = '[]'
        where id = %(id)s and state = 'waiting' and run_after <= now()
        returning {_COLUMNS}
        """,
        {"id": job_id},
    )


async def claim_scan(conn: Connection) -> JobRow | None:
    """The scan that has waited longest, for the gateway's own scanner."""
    return await _row(
        conn,
        f"""
        update jobs set state = 'active', attempts = attempts + 1, progress = 0, stage = 'started',
            rerun = false, error_code = null, error = null, heartbeat_at = now(), updated_at = now()
        where id = (
            select id from jobs where kind = 'scan' and state = 'waiting' and run_after <= now()
            order by run_after limit 1 for update skip locked
        )
        returning {_COLUMNS}
        """,
        {},
    )


async def save_pulse(
    conn: Connection, job_id: str, attempt: int, progress: float | None, stage: str | None
) -> JobRow | None:
    """A sign of life of the attempt that holds the job; None when that attempt was given up."""
    return await _row(
        conn,
        f"""
        update jobs set heartbeat_at = now(), updated_at = now(),
            progress = coalesce(%(progress)s::real, progress), stage = coalesce(%(stage)s, stage)
        where id = %(id)s and state = 'active' and attempts = %(attempt)s
        returning {_COLUMNS}
        """,
        {"id": job_id, "attempt": attempt, "progress": progress, "stage": stage},
    )


async def save_transfer(conn: Connection, job_id: str, attempt: int, report: JobProgress) -> None:
    """How many bytes of a download are there, beside the sign of life that brought the word."""
    await conn.execute(
        """
        update jobs set bytes_done = %(done)s, bytes_total = %(total)s, bytes_per_second = %(speed)s
        where id = %(id)s and state = 'active' and attempts = %(attempt)s
        """,
        {
            "id": job_id,
            "attempt": attempt,
            "done": report.bytes_done,
            "total": report.bytes_total,
            "speed": report.bytes_per_second,
        },
    )


async def save_tried(conn: Connection, job_id: str, attempt: int, tried: Sequence[SourceTry]) -> None:
    """Which sources gave nothing in this attempt, and why."""
    await conn.execute(
        "update jobs set tried = %s where id = %s and state = 'active' and attempts = %s",
        [Jsonb([one.model_dump(mode="json") for one in tried]), job_id, attempt],
    )


async def complete_job(conn: Connection, job_id: str, attempt: int, result: dict[str, Any]) -> JobRow | None:
    """Done, or waiting again when it was asked for once more meanwhile."""
    return await _row(
        conn,
        f"""
        update jobs set
            state = case when rerun then 'waiting' else 'completed' end,
            progress = case when rerun then 0 else 100 end,
            stage = case when rerun then 'waiting to run again' else 'done' end,
            finished_at = case when rerun then null else now() end,
            tries_before = case when rerun then attempts else tries_before end,
            enqueued_at = null, rerun = false, result = %(result)s, updated_at = now()
        where id = %(id)s and state = 'active' and attempts = %(attempt)s
        returning {_COLUMNS}
        """,
        {"id": job_id, "attempt": attempt, "result": Jsonb(result)},
    )


async def fail_job(
    conn: Connection, job_id: str, attempt: int, code: ErrorCode, detail: str
) -> JobRow | None:
    return await _row(
        conn,
        f"""
        update jobs set
            state = case when rerun then 'waiting' else 'failed' end, rerun = false, enqueued_at = null,
            stage = case when rerun then 'waiting to run again' else 'failed' end,
            finished_at = case when rerun then null else now() end,
            tries_before = case when rerun then attempts else tries_before end,
            error_code = %(code)s, error = %(detail)s, updated_at = now()
        where id = %(id)s and state = 'active' and attempts = %(attempt)s
        returning {_COLUMNS}
        """,
        {"id": job_id, "attempt": attempt, "code": code, "detail": detail},
    )


async def postpone_job(
    conn: Connection, job_id: str, attempt: int, code: ErrorCode, detail: str, delay_seconds: float
) -> JobRow | None:
    """Back to waiting after a failure that may pass."""
    return await _row(
        conn,
        f"""
        update jobs set state = 'waiting', stage = 'waiting to try again', enqueued_at = null,
            run_after = now() + make_interval(secs => %(delay)s),
            error_code = %(code)s, error = %(detail)s, updated_at = now()
        where id = %(id)s and state = 'active' and attempts = %(attempt)s
        returning {_COLUMNS}
        """,
        {"id": job_id, "attempt": attempt, "code": code, "detail": detail, "delay": delay_seconds},
    )


async def cancel_job(conn: Connection, job_id: str, username: str) -> JobRow | None:
    return await _row(
        conn,
        f"""
        update jobs set state = 'cancelled', stage = 'cancelled', rerun = false,
            error_code = 'cancelled', error = 'Cancelled.', finished_at = now(), updated_at = now()
        where id = %(id)s and username = %(username)s and state in ('waiting', 'active')
        returning {_COLUMNS}
        """,
        {"id": job_id, "username": username},
    )


async def cancel_track_jobs(conn: Connection, username: str, track_id: str) -> list[JobRow]:
    """End the open jobs of a track that is put away."""
    return await _rows(
        conn,
        f"""
        update jobs set state = 'cancelled', stage = 'cancelled', rerun = false,
            error_code = 'cancelled', error = 'The track was deleted.',
            finished_at = now(), updated_at = now()
        where username = %(username)s and track_id = %(track_id)s and state in ('waiting', 'active')
        returning {_COLUMNS}
        """,
        {"username": username, "track_id": track_id},
    )


async def retry_job(conn: Connection, job_id: str, username: str) -> JobRow | None:
    return await _row(
        conn,
        f"""
        update jobs set state = 'waiting', stage = 'waiting', progress = 0, error_code = null, error = null,
            finished_at = null, run_after = now(), enqueued_at = null, updated_at = now(),
            tries_before = attempts
        where id = %(id)s and username = %(username)s and state in ('failed', 'cancelled')
        returning {_COLUMNS}
        """,
        {"id": job_id, "username": username},
    )


async def release_lost_jobs(conn: Connection, lease_seconds: float, max_attempts: int) -> list[JobRow]:
    """Jobs whose holder gave no sign of life: waiting again, or failed when that keeps happening."""
    return await _rows(
        conn,
        f"""
        update jobs set
            state = case when spent then 'failed' else 'waiting' end,
            stage = case when spent then 'failed' else 'waiting to try again' end,
            finished_at = case when spent then now() end,
            error_code = 'attempts_exhausted',
            error = 'The process that worked on this stopped without a word, ' || attempts || ' times. '
                    || 'The file may be what stops it: try a fresh copy, then retry the job.',
            enqueued_at = null, run_after = now(), updated_at = now()
        from (
            select id as lost_id, attempts - tries_before >= %(max_attempts)s and not rerun as spent
            from jobs
            where state = 'active' and heartbeat_at < now() - make_interval(secs => %(lease)s)
            for update skip locked
        ) as lost
        where id = lost_id
        returning {_COLUMNS}
        """,
        {"lease": lease_seconds, "max_attempts": max_attempts},
    )


async def list_due_jobs(conn: Connection, *, again_after_seconds: float, limit: int) -> list[JobRow]:
    """Waiting jobs that the queue has not been given, or was given long ago and may have lost."""
    return await _rows(
        conn,
        f"""
        select {_COLUMNS} from jobs
        where state = 'waiting' and kind <> 'scan' and run_after <= now()
          and (enqueued_at is null or enqueued_at < now() - make_interval(secs => %(again)s))
        order by run_after limit %(limit)s
        """,
        {"again": again_after_seconds, "limit": limit},
    )


async def mark_enqueued(conn: Connection, jobs: Sequence[JobRow]) -> None:
    """Only of the attempt that was handed over: a quick worker may have put the job back meanwhile."""
    await conn.execute(
        """
        update jobs set enqueued_at = now()
        from unnest(%s::text[], %s::int[]) as handed (job_id, attempt)
        where id = job_id and attempts = attempt and state = 'waiting'
        """,
        [[job.id for job in jobs], [job.attempts for job in jobs]],
    )


async def forget_enqueued(conn: Connection) -> None:
    """The queue was emptied: every waiting job has to be handed over again."""
    await conn.execute("update jobs set enqueued_at = null where state = 'waiting'")
