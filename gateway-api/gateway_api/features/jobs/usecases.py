"""What happens to a job: asked for, handed over, claimed, kept alive, ended, cancelled, tried again.

Each commits first and tells the queue and the listeners afterwards; the sweep repairs what a crash
leaves between the two.
"""

import uuid
from collections.abc import Sequence

from pydantic import TypeAdapter

from dj_contracts.jobs import (
    AnalysisDone,
    AnalyzePayload,
    DownloadDone,
    Job,
    JobClaim,
    JobCompletion,
    JobFailure,
    JobKind,
    JobProgress,
    JobPulse,
    JobState,
)
from dj_servicekit.errors import Conflict, Malformed, NotFound
from dj_servicekit.logs import log
from gateway_api.adapters.event_bus import EventBus
from gateway_api.adapters.job_queue import JobQueue, QueueAway
from gateway_api.db import Connection, Pool, transaction
from gateway_api.features.downloads.attaching import attach, keep_candidates, keep_fingerprint, wanted_track
from gateway_api.features.jobs import store
from gateway_api.features.jobs.models import JobList, JobRow, Pagination
from gateway_api.features.tracks import store as tracks_store
from gateway_api.features.tracks.usecases import apply_analysis, track_not_found

_RETRY_SECONDS = (5, 30, 120, 600)
_CLAIM = TypeAdapter(JobClaim)


async def announce(rows: Sequence[JobRow], *, db: Pool, queue: JobQueue, events: EventBus) -> None:
    """Tell the listeners of committed changes, and hand over what is ready to run."""
    await events.publish(*(row.to_event() for row in rows))
    due = [row for row in rows if row.state == JobState.WAITING and row.kind != JobKind.SCAN]
    await hand_over(due, db=db, queue=queue)


async def hand_over(due: Sequence[JobRow], *, db: Pool, queue: JobQueue) -> None:
    if not due:
        return
    try:
        await queue.hand_over([(row.id, row.attempts + 1) for row in due])
    except QueueAway as exc:
        log.warning("jobs_not_handed_over", count=len(due), reason=str(exc))
        return
    async with transaction(db) as conn:
        await store.mark_enqueued(conn, due)


async def add_analysis_jobs(
    conn: Connection, username: str, files: Sequence[tuple[str, str]]
) -> list[JobRow]:
    """Jobs to measure (track id, audio path) files, inside the caller's transaction."""
    jobs = [
        (uuid.uuid4().hex, track_id, AnalyzePayload(audio_path=path).model_dump(mode="json"))
        for track_id, path in files
    ]
    return await store.insert_track_jobs(conn, username, JobKind.ANALYZE, jobs)


async def request_analysis(
    username: str, track_id: str, *, db: Pool, queue: JobQueue, events: EventBus
) -> Job:
    async with transaction(db) as conn:
        if (track := await tracks_store.find_track(conn, username, track_id)) is None:
            raise track_not_found(track_id)
        if track.audio_path is None:
            raise Conflict("This track has no audio. Upload a file or start a download first.")
        rows = await add_analysis_jobs(conn, username, [(track_id, track.audio_path)])
    await announce(rows, db=db, queue=queue, events=events)
    return rows[0].to_job()


async def list_jobs(
    db: Pool, username: str, *, state: JobState | None, track_id: str | None, limit: int, offset: int
) -> JobList:
    async with transaction(db) as conn:
        rows = await store.list_jobs(
            conn, username, state=state, track_id=track_id, limit=limit, offset=offset
        )
        summary = await store.count_jobs(conn, username, track_id)
    total = summary[state] if state else sum(summary.values())
    return JobList(
        jobs=[row.to_job() for row in rows],
        summary=summary,
        pagination=Pagination(limit=limit, offset=offset, total=total),
    )


async def get_job(db: Pool, username: str, job_id: str) -> Job:
    async with transaction(db) as conn:
        return (await _get_row(conn, job_id, username)).to_job()


async def cancel_job(username: str, job_id: str, *, db: Pool, events: EventBus) -> Job:
    async with transaction(db) as conn:
        if (row := await store.cancel_job(conn, job_id, username)) is None:
            row = await _get_row(conn, job_id, username)
            raise Conflict(f"The job is {row.state} already; only a waiting or active one can be cancelled.")
    await events.publish(row.to_event())
    return row.to_job()


async def retry_job(username: str, job_id: str, *, db: Pool, queue: JobQueue, events: EventBus) -> Job:
    async with transaction(db) as conn:
        if (row := await store.retry_job(conn, job_id, username)) is None:
            row = await _get_row(conn, job_id, username)
            raise Conflict(f"The job is {row.state}; only a failed or cancelled one can be tried again.")
    await announce([row], db=db, queue=queue, events=events)
    return row.to_job()


async def claim_job(job_id: str, *, db: Pool, events: EventBus) -> JobClaim:
    async with transaction(db) as conn:
        if (row := await store.claim_job(conn, job_id)) is None:
            row = await _get_row(conn, job_id)
            raise Conflict(f"The job is {row.state}: another worker has it, or it is over.")
        is_download = row.kind == JobKind.DOWNLOAD and row.track_id is not None
        wanted = await wanted_track(conn, row.username, str(row.track_id)) if is_download else None
    await events.publish(row.to_event())
    return _CLAIM.validate_python(
        {
            "id": row.id,
            "username": row.username,
            "track_id": row.track_id,
            "attempt": row.attempts,
            "payload": {"kind": row.kind, **row.payload},
            **({"wanted": wanted} if wanted else {}),
        }
    )


async def report_progress(job_id: str, report: JobProgress, *, db: Pool, events: EventBus) -> JobPulse:
    async with transaction(db) as conn:
        if report.bytes_done is not None:
            await store.save_transfer(conn, job_id, report.attempt, report)
        row = await store.save_pulse(conn, job_id, report.attempt, report.progress, report.stage)
        if row is None:
            current = await _get_row(conn, job_id)
            if current.state == JobState.CANCELLED and current.attempts == report.attempt:
                return JobPulse(cancelled=True)
            raise _given_up(current)
    if report.progress is not None or report.stage is not None:
        await events.publish(row.to_event())
    return JobPulse(cancelled=False)


async def complete_job(
    job_id: str, completion: JobCompletion, *, db: Pool, queue: JobQueue, events: EventBus
) -> None:
    outcome = completion.outcome
    follow_up: list[JobRow] = []
    async with transaction(db) as conn:
        current = await _get_row(conn, job_id)
        if current.kind != outcome.kind or current.track_id is None:
            raise Malformed(f"The job is of kind {current.kind!r}, not {outcome.kind!r}.")
        if isinstance(outcome, AnalysisDone):
            result = outcome.analysis.model_dump(mode="json", include={"engine_version", "duration_seconds"})
        else:
            result = outcome.model_dump(mode="json", exclude={"kind", "fingerprint", "tried"})
        # Track before job, as a deletion and a scan lock them, so that none waits for the other for ever.
        await tracks_store.lock_track(conn, current.username, current.track_id)
        if isinstance(outcome, DownloadDone):
            await store.save_tried(conn, job_id, completion.attempt, outcome.tried)
        # The fence comes first: a report of an attempt that was given up must change nothing.
        if (row := await store.complete_job(conn, job_id, completion.attempt, result)) is None:
            raise _given_up(current)
        if isinstance(outcome, AnalysisDone):
            await apply_analysis(conn, current.username, current.track_id, outcome.analysis)
            if outcome.fingerprint:
                await keep_fingerprint(conn, current.username, current.track_id, outcome.fingerprint)
        else:
            await attach(conn, current.username, current.track_id, outcome)
            follow_up = await add_analysis_jobs(
                conn, current.username, [(current.track_id, outcome.audio_path)]
            )
    await announce([row, *follow_up], db=db, queue=queue, events=events)


async def fail_job(
    job_id: str, failure: JobFailure, *, max_attempts: int, db: Pool, events: EventBus
) -> None:
    async with transaction(db) as conn:
        current = await _get_row(conn, job_id)
        tries = current.attempts - current.tries_before
        await store.save_tried(conn, job_id, failure.attempt, failure.tried)
        if failure.transient and tries < max_attempts:
            delay = _RETRY_SECONDS[min(tries, len(_RETRY_SECONDS)) - 1]
            row = await store.postpone_job(conn, job_id, failure.attempt, failure.code, failure.detail, delay)
        else:
            row = await store.fail_job(conn, job_id, failure.attempt, failure.code, failure.detail)
        if row is None:
            raise _given_up(current)
        if row.track_id is not None:
            await keep_candidates(conn, row.username, row.track_id, failure.candidates)
    # A postponed job is not due yet: the sweep hands it over in its time.
    await events.publish(row.to_event())


def _given_up(current: JobRow) -> Conflict:
    return Conflict(f"This attempt no longer holds the job, which is {current.state}. Drop the work.")


async def _get_row(conn: Connection, job_id: str, username: str | None = None) -> JobRow:
    if (row := await store.find_job(conn, job_id, username)) is None:
        raise NotFound(f"There is no job {job_id!r} in this collection.")
    return row
