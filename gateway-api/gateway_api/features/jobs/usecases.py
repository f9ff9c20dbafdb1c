"""What happens to a job: asked for, handed over, claimed, kept alive, ended, cancelled, tried again.

Each commits first and tells the queue and the listeners afterwards; the sweep repairs what a crash
leaves between the two.
"""

import uuid
from collections.abc import Sequence

from pydantic import TypeAdapter

from dj_contracts.errors import ErrorCode
from dj_contracts.jobs import (
    AnalysisDone,
    AnalyzePayload,
    CoverArtDone,
    DownloadDone,
    DurationDone,
    Job,
    JobClaim,
    JobCompletion,
    JobFailure,
    JobKind,
    JobPriority,
    JobProgress,
    JobPulse,
    JobState,
)
from dj_servicekit.errors import Conflict, Malformed, NotFound
from dj_servicekit.logs import log
from gateway_api.adapters.event_bus import EventBus
from gateway_api.adapters.job_queue import JobQueue
from gateway_api.db import Connection, Pool, transaction
from gateway_api.features.downloads.attaching import attach, keep_candidates, keep_fingerprint, wanted_track
from gateway_api.features.jobs import store
from gateway_api.features.jobs.models import JobList, JobRow, Pagination
from gateway_api.features.jobs.outcomes import apply_to_files
from gateway_api.features.queue import store as queue_store
from gateway_api.features.queue.usecases import hand_over_changed, hand_over_due
from gateway_api.features.tracks import store as tracks_store
from gateway_api.features.tracks.usecases import apply_analysis, track_not_found
from gateway_api.host_limits import HostLimits

_RETRY_SECONDS = (5, 30, 120, 600)
# What is away or full comes back without the job's doing, and counts as no attempt of it.
_WAIT_SECONDS = {ErrorCode.UPSTREAM_UNAVAILABLE: 10, ErrorCode.BUSY: 10, ErrorCode.DISK_FULL: 60}
_CLAIM = TypeAdapter(JobClaim)


async def announce(rows: Sequence[JobRow], *, db: Pool, queue: JobQueue, events: EventBus) -> None:
    """Tell the listeners of committed changes, and hand over what is ready to run."""
    await events.publish(*(row.to_event() for row in rows))
    await hand_over_changed(rows, db=db, queue=queue)


async def add_analysis_jobs(
    conn: Connection,
    username: str,
    files: Sequence[tuple[str, str]],
    *,
    priority: JobPriority = JobPriority.PERSON,
) -> list[JobRow]:
    """Jobs to measure (track id, audio path) files, inside the caller's transaction."""
    jobs = [
        (uuid.uuid4().hex, track_id, AnalyzePayload(audio_path=path).model_dump(mode="json"))
        for track_id, path in files
    ]
    return await store.insert_track_jobs(conn, username, JobKind.ANALYZE, jobs, priority=priority)


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
        return (await get_row(conn, job_id, username)).to_job()


async def cancel_job(username: str, job_id: str, *, db: Pool, queue: JobQueue, events: EventBus) -> Job:
    async with transaction(db) as conn:
        if (row := await store.cancel_job(conn, job_id, username)) is None:
            row = await get_row(conn, job_id, username)
            raise Conflict(f"The job is {row.state} already; only a waiting or active one can be cancelled.")
        members = await store.cancel_members(conn, job_id) if row.kind == JobKind.REANALYZE else []
    await announce([row, *members], db=db, queue=queue, events=events)
    return row.to_job()


async def retry_job(username: str, job_id: str, *, db: Pool, queue: JobQueue, events: EventBus) -> Job:
    async with transaction(db) as conn:
        if (row := await store.retry_job(conn, job_id, username)) is None:
            row = await get_row(conn, job_id, username)
            raise Conflict(f"The job is {row.state}; only a failed or cancelled one can be tried again.")
        members = await store.reopen_members(conn, job_id) if row.kind == JobKind.REANALYZE else []
    await announce([row, *members], db=db, queue=queue, events=events)
    return row.to_job()


async def claim_job(job_id: str, *, db: Pool, queue: JobQueue, events: EventBus) -> JobClaim:
    async with transaction(db) as conn:
        row = await store.claim_job(conn, job_id, limited=False)
        refused = None if row else await get_row(conn, job_id)
        if refused and refused.host and refused.state == JobState.WAITING:
            row, refused = await _claim_at_host(conn, refused, refused.host, queue.host_limits)
        is_download = row is not None and row.kind == JobKind.DOWNLOAD and row.track_id is not None
        wanted = await wanted_track(conn, row.username, str(row.track_id)) if row and is_download else None
    if row is None:
        state = refused.stage or refused.state if refused else "gone"
        raise Conflict(f"The job is not to be had now ({state}): another worker has it, or it has to wait.")
    await events.publish(row.to_event())
    return _CLAIM.validate_python(
        {
            "id": row.id,
            "username": row.username,
            "track_id": row.track_id,
            "attempt": row.attempts,
            "payload": {"kind": row.kind, **row.payload},
            **({"wanted": wanted} if wanted else {}),
            **({"request_id": row.request_id} if row.request_id else {}),
        }
    )


async def _claim_at_host(
    conn: Connection, waiting: JobRow, host: str, limits: HostLimits
) -> tuple[JobRow | None, JobRow]:
    """Here the limits hold, whatever number of workers and gateways there are: one decides at a time."""
    limit = limits.of(host)
    await queue_store.lock_host(conn, host)
    active, since_last = await queue_store.find_host_load(conn, host)
    apart = max(0.0, limit.seconds_apart - since_last) if since_last is not None else 0.0
    if active < limit.at_once and apart == 0:
        return await store.claim_job(conn, waiting.id, limited=True), waiting
    stage = f"waiting for its turn at {host}"
    return None, await queue_store.defer_job(conn, waiting.id, apart, stage) or waiting


async def report_progress(job_id: str, report: JobProgress, *, db: Pool, events: EventBus) -> JobPulse:
    async with transaction(db) as conn:
        if report.bytes_done is not None:
            await store.save_transfer(conn, job_id, report.attempt, report)
        row = await store.save_pulse(conn, job_id, report.attempt, report.progress, report.stage)
        if row is None:
            current = await get_row(conn, job_id)
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
        current = await get_row(conn, job_id)
        if current.kind != outcome.kind or current.track_id is None:
            raise Malformed(f"The job is of kind {current.kind!r}, not {outcome.kind!r}.")
        if isinstance(outcome, AnalysisDone):
            result = outcome.analysis.model_dump(mode="json", include={"engine_version", "duration_seconds"})
        else:
            result = outcome.model_dump(mode="json", exclude={"kind", "fingerprint", "tried"})
        # Track before job, as a deletion and a scan lock them, so that none waits for the other for ever.
        is_there = await tracks_store.lock_track(conn, current.username, current.track_id)
        if isinstance(outcome, DownloadDone):
            await store.save_tried(conn, job_id, completion.attempt, outcome.tried)
        # The fence comes first: a report of an attempt that was given up must change nothing.
        if (row := await store.complete_job(conn, job_id, completion.attempt, result)) is None:
            raise _given_up(current)
        if isinstance(outcome, AnalysisDone):
            if not is_there:
                raise Conflict("The track was deleted while it was analysed.")
            await apply_analysis(conn, current.username, current.track_id, outcome.analysis)
            if outcome.fingerprint:
                await keep_fingerprint(conn, current.username, current.track_id, outcome.fingerprint)
        elif isinstance(outcome, DurationDone | CoverArtDone):
            await apply_to_files(conn, current, outcome)
        else:
            await attach(conn, current.username, current.track_id, outcome)
            follow_up = await add_analysis_jobs(
                conn,
                current.username,
                [(current.track_id, outcome.audio_path)],
                priority=JobPriority(current.priority),
            )
    log.info("job_completed", job_id=job_id, attempt=completion.attempt, state=row.state)
    await announce([row, *follow_up], db=db, queue=queue, events=events)


async def fail_job(
    job_id: str, failure: JobFailure, *, max_attempts: int, db: Pool, queue: JobQueue, events: EventBus
) -> None:
    """A failure that lies with what stands behind us is none of the job: it waits, as long as it takes."""
    async with transaction(db) as conn:
        current = await get_row(conn, job_id)
        tries = current.attempts - current.tries_before
        await store.save_tried(conn, job_id, failure.attempt, failure.tried)
        waits = failure.transient and failure.code in _WAIT_SECONDS
        if waits or (failure.transient and tries < max_attempts):
            delay = _RETRY_SECONDS[min(max(tries, 1), len(_RETRY_SECONDS)) - 1]
            row = await store.postpone_job(
                conn,
                job_id,
                failure.attempt,
                failure.code,
                failure.detail,
                delay_seconds=_WAIT_SECONDS.get(failure.code, delay),
                counts=not waits,
            )
        else:
            row = await store.fail_job(conn, job_id, failure.attempt, failure.code, failure.detail)
        if row is None:
            raise _given_up(current)
        if row.track_id is not None:
            await keep_candidates(conn, row.username, row.track_id, failure.candidates)
    log.info("job_not_completed", job_id=job_id, attempt=failure.attempt, code=failure.code, state=row.state)
    # A postponed job is not due yet: the sweep hands it over in its time.
    await events.publish(row.to_event())
    if row.host is not None:
        await hand_over_due(db=db, queue=queue)


def _given_up(current: JobRow) -> Conflict:
    return Conflict(f"This attempt no longer holds the job, which is {current.state}. Drop the work.")


async def get_row(conn: Connection, job_id: str, username: str | None = None) -> JobRow:
    if (row := await store.find_job(conn, job_id, username)) is None:
        raise NotFound(f"There is no job {job_id!r} in this collection.")
    return row
