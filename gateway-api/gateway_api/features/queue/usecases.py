"""Handing jobs over to the workers: at once when a request made them, or when their time has come."""

from collections.abc import Sequence

from dj_contracts.jobs import JobState
from dj_servicekit.logs import log
from gateway_api.adapters.job_queue import JobQueue, QueueAway, Ticket
from gateway_api.db import Pool, transaction
from gateway_api.features.jobs.models import OF_THE_GATEWAY, JobRow
from gateway_api.features.queue import store

_AGAIN_AFTER_SECONDS = 300
_BATCH = 500


async def hand_over_changed(rows: Sequence[JobRow], *, db: Pool, queue: JobQueue) -> None:
    """After committed changes: what was made goes to the workers, and what became free is used."""
    ready = [row for row in rows if row.state == JobState.WAITING and row.kind not in OF_THE_GATEWAY]
    await _hand_over([row for row in ready if row.host is None], db=db, queue=queue)
    if any(row.host is not None for row in rows):
        await hand_over_due(db=db, queue=queue)


async def hand_over_due(*, db: Pool, queue: JobQueue) -> None:
    async with transaction(db) as conn:
        due = await store.list_due_jobs(
            conn, limits=queue.host_limits, again_after_seconds=_AGAIN_AFTER_SECONDS, limit=_BATCH
        )
    await _hand_over(due, db=db, queue=queue)


async def _hand_over(due: Sequence[JobRow], *, db: Pool, queue: JobQueue) -> None:
    if not due:
        return
    try:
        await queue.hand_over([Ticket(row.id, row.attempts + 1, row.priority) for row in due])
    except QueueAway as exc:
        log.warning("jobs_not_handed_over", count=len(due), reason=str(exc))
        return
    async with transaction(db) as conn:
        await store.mark_enqueued(conn, due)
