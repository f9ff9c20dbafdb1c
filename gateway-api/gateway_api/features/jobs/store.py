"""The statements over jobs. Every change of state is one statement that says from which state.

What stands between jobs and the queue has its statements in features/queue. This is whole, past 300 lines,
because the changes of state are to be read against each other.
"""

from collections.abc import Sequence
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from dj_contracts.downloads import SourceTry
from dj_contracts.errors import ErrorCode
from dj_contracts.jobs import JobKind, JobPriority, JobProgress, JobState
from dj_servicekit.logs import current_request_id
from gateway_api.db import Connection
from gateway_api.features.jobs.models import JobRow

COLUMNS = """
    id, username, track_id, kind, state, payload, attempts, tries_before, progress, stage,
    error_code, error, result, priority, host, batch_id, bytes_done, bytes_total, bytes_per_second, tried,
    request_id, created_at, updated_at, finished_at
"""
# The file that somebody uploaded for the track is wanted more than whatever is asked for after it.
_KEEPS_UPLOAD = """(
    coalesce(j.payload ->> 'file', '') like '.uploads/%%'
    and coalesce(excluded.payload ->> 'file', '') not like '.uploads/%%'
)"""


async def fetch_rows(conn: Connection, query: str, parameters: dict[str, Any]) -> list[JobRow]:
    cursor = conn.cursor(row_factory=class_row(JobRow))
    await cursor.execute(query, parameters)
    return await cursor.fetchall()


async def fetch_row(conn: Connection, query: str, parameters: dict[str, Any]) -> JobRow | None:
    rows = await fetch_rows(conn, query, parameters)
    return rows[0] if rows else None


async def insert_track_jobs(
    conn: Connection,
    username: str,
    kind: JobKind,
    jobs: Sequence[tuple[str, str, dict[str, Any]]],
    *,
    priority: JobPriority = JobPriority.PERSON,
    hosts: Sequence[str | None] | None = None,
) -> list[JobRow]:
    """Add (job id, track id, payload) jobs. A track that has an open one of the kind keeps it: waiting, it
    takes the new payload and the more urgent priority; under way, it runs again afterwards, for the file
    may have changed meanwhile. A download that is asked for again with the same wish is the same download,
    and an upload that waits to be attached gives way to a later upload only.
    """
    return await fetch_rows(
        conn,
        f"""
        insert into jobs as j (id, username, track_id, kind, payload, priority, host, request_id)
        select new.id, %(username)s, new.track_id, %(kind)s, new.payload, %(priority)s, new.host,
            %(request_id)s
        from unnest(%(ids)s::text[], %(track_ids)s::text[], %(payloads)s::jsonb[], %(hosts)s::text[])
             as new (id, track_id, payload, host)
        on conflict (username, kind, track_id) where state in ('waiting', 'active') and track_id is not null
        do update set
            payload = case when {_KEEPS_UPLOAD} then j.payload else excluded.payload end,
            host = case when {_KEEPS_UPLOAD} then j.host else excluded.host end,
            request_id = case when {_KEEPS_UPLOAD} then j.request_id else excluded.request_id end,
            priority = least(j.priority, excluded.priority),
            rerun = j.rerun or (j.state = 'active' and not {_KEEPS_UPLOAD}
                                and (j.kind <> 'download' or j.payload <> excluded.payload)),
            updated_at = now()
        returning {COLUMNS}
        """,
        {
            "username": username,
            "kind": kind,
            "ids": [job[0] for job in jobs],
            "track_ids": [job[1] for job in jobs],
            "payloads": [Jsonb(job[2]) for job in jobs],
            "hosts": list(hosts) if hosts is not None else [None] * len(jobs),
            "priority": priority,
            "request_id": current_request_id(),
        },
    )


async def insert_scan(conn: Connection, job_id: str, username: str, path: str) -> JobRow:
    """Add a scan of a folder, or find the open one of the same folder."""
    rows = await fetch_rows(
        conn,
        f"""
        insert into jobs as j (id, username, kind, payload, request_id)
        values (%(id)s, %(username)s, 'scan', %(payload)s, %(request_id)s)
        on conflict (username, (payload ->> 'path')) where state in ('waiting', 'active') and kind = 'scan'
        do update set updated_at = now()
        returning {COLUMNS}
        """,
        {
            "id": job_id,
            "username": username,
            "payload": Jsonb({"path": path}),
            "request_id": current_request_id(),
        },
    )
    return rows[0]


async def find_job(conn: Connection, job_id: str, username: str | None = None) -> JobRow | None:
    return await fetch_row(
        conn,
        f"""
        select {COLUMNS} from jobs
        where id = %(id)s and (%(username)s::text is null or username = %(username)s)
        """,
        {"id": job_id, "username": username},
    )


async def find_open_job(conn: Connection, like: JobRow) -> JobRow | None:
    """The open job of the same kind on the same track."""
    return await fetch_row(
        conn,
        f"""
        select {COLUMNS} from jobs
        where username = %(username)s and kind = %(kind)s and track_id = %(track_id)s
          and state in ('waiting', 'active')
        """,
        {"username": like.username, "kind": like.kind, "track_id": like.track_id},
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
    return await fetch_rows(
        conn,
        f"""
        select {COLUMNS} from jobs
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


async def claim_job(conn: Connection, job_id: str, *, limited: bool) -> JobRow | None:
    """``limited``: one whose host has limits, and the caller has looked at them."""
    return await fetch_row(
        conn,
        f"""
        update jobs set state = 'active', attempts = attempts + 1, progress = 0, stage = 'started',
            rerun = false, error_code = null, error = null, started_at = now(), heartbeat_at = now(),
            updated_at = now(),
            bytes_done = null, bytes_total = null, bytes_per_second = null, tried = '[]'
        where id = %(id)s and state = 'waiting' and run_after <= now()
          and (host is null or %(limited)s)
        returning {COLUMNS}
        """,
        {"id": job_id, "limited": limited},
    )


async def claim_scan(conn: Connection) -> JobRow | None:
    """The scan that has waited longest, for the gateway's own scanner."""
    return await fetch_row(
        conn,
        f"""
        update jobs set state = 'active', attempts = attempts + 1, progress = 0, stage = 'started',
            rerun = false, error_code = null, error = null, started_at = now(), heartbeat_at = now(),
            updated_at = now()
        where id = (
            select id from jobs where kind = 'scan' and state = 'waiting' and run_after <= now()
            order by run_after limit 1 for update skip locked
        )
        returning {COLUMNS}
        """,
        {},
    )


async def save_pulse(
    conn: Connection, job_id: str, attempt: int, progress: float | None, stage: str | None
) -> JobRow | None:
    """A sign of life of the attempt that holds the job; None when that attempt was given up."""
    return await fetch_row(
        conn,
        f"""
        update jobs set heartbeat_at = now(), updated_at = now(),
            progress = coalesce(%(progress)s::real, progress), stage = coalesce(%(stage)s, stage)
        where id = %(id)s and state = 'active' and attempts = %(attempt)s
        returning {COLUMNS}
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
    return await fetch_row(
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
        returning {COLUMNS}
        """,
        {"id": job_id, "attempt": attempt, "result": Jsonb(result)},
    )


async def fail_job(
    conn: Connection, job_id: str, attempt: int, code: ErrorCode, detail: str
) -> JobRow | None:
    return await fetch_row(
        conn,
        f"""
        update jobs set
            state = case when rerun then 'waiting' else 'failed' end, rerun = false, enqueued_at = null,
            stage = case when rerun then 'waiting to run again' else 'failed' end,
            finished_at = case when rerun then null else now() end,
            tries_before = case when rerun then attempts else tries_before end,
            error_code = %(code)s, error = %(detail)s, updated_at = now()
        where id = %(id)s and state = 'active' and attempts = %(attempt)s
        returning {COLUMNS}
        """,
        {"id": job_id, "attempt": attempt, "code": code, "detail": detail},
    )


async def postpone_job(
    conn: Connection,
    job_id: str,
    attempt: int,
    code: ErrorCode,
    detail: str,
    *,
    delay_seconds: float,
    counts: bool,
) -> JobRow | None:
    """Back to waiting after a failure that may pass. One that is not the job's does not count as a try."""
    return await fetch_row(
        conn,
        f"""
        update jobs set state = 'waiting', stage = 'waiting to try again', enqueued_at = null,
            run_after = now() + make_interval(secs => %(delay)s),
            tries_before = tries_before + case when %(counts)s then 0 else 1 end,
            error_code = %(code)s, error = %(detail)s, updated_at = now()
        where id = %(id)s and state = 'active' and attempts = %(attempt)s
        returning {COLUMNS}
        """,
        {
            "id": job_id,
            "attempt": attempt,
            "code": code,
            "detail": detail,
            "delay": delay_seconds,
            "counts": counts,
        },
    )


async def cancel_job(conn: Connection, job_id: str, username: str) -> JobRow | None:
    return await fetch_row(
        conn,
        f"""
        update jobs set state = 'cancelled', stage = 'cancelled', rerun = false,
            error_code = 'cancelled', error = 'Cancelled.', finished_at = now(), updated_at = now()
        where id = %(id)s and username = %(username)s and state in ('waiting', 'active')
        returning {COLUMNS}
        """,
        {"id": job_id, "username": username},
    )


async def cancel_track_jobs(
    conn: Connection, username: str, track_id: str, *, why: str, kind: JobKind | None = None
) -> list[JobRow]:
    """End the open jobs, or those of a kind, of a track that is put away or loses its file. ``why`` is the
    sentence that a person reads of them."""
    return await fetch_rows(
        conn,
        f"""
        update jobs set state = 'cancelled', stage = 'cancelled', rerun = false,
            error_code = 'cancelled', error = %(why)s,
            finished_at = now(), updated_at = now()
        where username = %(username)s and track_id = %(track_id)s and state in ('waiting', 'active')
          and (%(kind)s::text is null or kind = %(kind)s)
        returning {COLUMNS}
        """,
        {"username": username, "track_id": track_id, "kind": kind, "why": why},
    )


async def retry_job(conn: Connection, job_id: str, username: str) -> JobRow | None:
    return await fetch_row(
        conn,
        f"""
        update jobs set state = 'waiting', stage = 'waiting', progress = 0, error_code = null, error = null,
            finished_at = null, run_after = now(), enqueued_at = null, updated_at = now(),
            tries_before = attempts, priority = %(priority)s
        where id = %(id)s and username = %(username)s and state in ('failed', 'cancelled')
        returning {COLUMNS}
        """,
        {"id": job_id, "username": username, "priority": JobPriority.PERSON},
    )


async def cancel_members(conn: Connection, batch_id: str) -> list[JobRow]:
    """What a batch has still to do goes with it."""
    return await fetch_rows(
        conn,
        f"""
        update jobs set state = 'cancelled', stage = 'cancelled', rerun = false,
            error_code = 'cancelled', error = 'The batch was cancelled.',
            finished_at = now(), updated_at = now()
        where batch_id = %(batch_id)s and state in ('waiting', 'active')
        returning {COLUMNS}
        """,
        {"batch_id": batch_id},
    )


async def reopen_members(conn: Connection, batch_id: str) -> list[JobRow]:
    """Of a batch that is tried again: what was cancelled or failed, unless it was asked for anew."""
    return await fetch_rows(
        conn,
        f"""
        update jobs as j set state = 'waiting', stage = 'waiting', progress = 0, error_code = null,
            error = null, finished_at = null, run_after = now(), enqueued_at = null, updated_at = now(),
            tries_before = attempts
        where batch_id = %(batch_id)s and state in ('failed', 'cancelled') and not exists (
            select from jobs as other
            where (other.username, other.kind, other.track_id) = (j.username, j.kind, j.track_id)
              and other.state in ('waiting', 'active')
        )
        returning {COLUMNS}
        """,
        {"batch_id": batch_id},
    )


async def list_release_files(conn: Connection, username: str, release_id: str) -> list[tuple[str, str]]:
    """(track id, audio path) of a release's tracks that have a file, in the order of the record."""
    cursor = await conn.execute(
        """
        select track_id, audio_path from tracks
        where username = %s and release_id = %s and audio_path is not null and deleted_at is null
        order by position nulls last, track_id limit 500
        """,
        [username, release_id],
    )
    return [(str(track_id), str(path)) for track_id, path in await cursor.fetchall()]


async def save_album_cover(conn: Connection, username: str, track_id: str, cover_path: str) -> None:
    """For all tracks of the release that this track is of."""
    await conn.execute(
        """
        update tracks set cover_path = %(cover)s, updated_at = now()
        where username = %(username)s and deleted_at is null
          and (track_id = %(track_id)s or release_id = (
                  select release_id from tracks where username = %(username)s and track_id = %(track_id)s))
        """,
        {"username": username, "track_id": track_id, "cover": cover_path},
    )
