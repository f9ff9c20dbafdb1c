"""The statements between jobs and the queue: what may run now, and what was lost on the way."""

from collections.abc import Sequence
from typing import Any

from gateway_api.db import Connection
from gateway_api.features.jobs.models import JobRow
from gateway_api.features.jobs.store import COLUMNS, fetch_row, fetch_rows
from gateway_api.host_limits import HostLimits


async def release_lost_jobs(conn: Connection, lease_seconds: float, max_attempts: int) -> list[JobRow]:
    """Jobs whose holder gave no sign of life: waiting again, or failed when that keeps happening."""
    return await fetch_rows(
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
        returning {COLUMNS}
        """,
        {"lease": lease_seconds, "max_attempts": max_attempts},
    )


async def list_due_jobs(
    conn: Connection, *, limits: HostLimits, again_after_seconds: float, limit: int
) -> list[JobRow]:
    """Waiting jobs that the queue has not been given, or was given long ago and may have lost; the urgent
    first. Of downloads from one host only as many as the host's limits leave room for."""
    return await fetch_rows(
        conn,
        f"""
        with due as (
            select *, row_number() over (partition by host order by priority, run_after, id) as turn
            from jobs
            where state = 'waiting' and kind not in ('scan', 'reanalyze') and run_after <= now()
              and (enqueued_at is null or enqueued_at < now() - make_interval(secs => %(again)s))
        ), taken as (
            select host as taken_host, count(*) as taken from jobs
            where host is not null and (
                state = 'active'
                or state = 'waiting' and enqueued_at >= now() - make_interval(secs => %(again)s)
            )
            group by host
        ), named as (
            select * from unnest(%(hosts)s::text[], %(at_once)s::int[], %(apart)s::float8[])
                     as limits (named_host, at_once, apart)
        )
        select {COLUMNS} from due
        left join taken on taken_host = host
        left join named on named_host = host
        where host is null or (
            turn + coalesce(taken, 0) <= coalesce(at_once, %(others_at_once)s)
            and not exists (
                select from jobs as begun
                where begun.host = due.host
                  and begun.started_at > now() - make_interval(secs => coalesce(apart, %(others_apart)s))
            )
        )
        order by priority, run_after limit %(limit)s
        """,
        {
            "again": again_after_seconds,
            "limit": limit,
            "hosts": list(limits.named),
            "at_once": [each.at_once for each in limits.named.values()],
            "apart": [each.seconds_apart for each in limits.named.values()],
            "others_at_once": limits.others.at_once,
            "others_apart": limits.others.seconds_apart,
        },
    )


async def lock_host(conn: Connection, host: str) -> None:
    """Until the transaction ends, nobody else decides about this host."""
    await conn.execute("select pg_advisory_xact_lock(hashtextextended('dj:host:' || %s, 0))", [host])


async def find_host_load(conn: Connection, host: str) -> tuple[int, float | None]:
    """How many downloads from it are under way, and how long ago the last one began."""
    cursor = await conn.execute(
        """
        select count(*) filter (where state = 'active'),
               extract(epoch from clock_timestamp() - max(started_at))::float8
        from jobs where host = %s
        """,
        [host],
    )
    row: tuple[Any, ...] = await cursor.fetchone() or (0, None)
    return int(row[0]), row[1]


async def defer_job(conn: Connection, job_id: str, seconds: float, stage: str) -> JobRow | None:
    """Not yet: its host is busy. The hand-over brings it again when there is room."""
    return await fetch_row(
        conn,
        f"""
        update jobs set enqueued_at = null, run_after = now() + make_interval(secs => %(seconds)s),
            stage = %(stage)s, updated_at = now()
        where id = %(id)s and state = 'waiting'
        returning {COLUMNS}
        """,
        {"id": job_id, "seconds": seconds, "stage": stage},
    )


async def renew_leases(conn: Connection) -> None:
    """After a time in which nobody could be heard, each holder has the whole lease to be heard again."""
    await conn.execute("update jobs set heartbeat_at = now() where state = 'active'")


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


async def forget_begun(conn: Connection, job_ids: Sequence[str], *, unclaimed_after_seconds: float) -> None:
    """Jobs that a worker took out of the queue and has not claimed in this time: hand them over again."""
    await conn.execute(
        """
        update jobs set enqueued_at = null
        where id = any(%s) and state = 'waiting' and enqueued_at < now() - make_interval(secs => %s)
        """,
        [list(job_ids), unclaimed_after_seconds],
    )
