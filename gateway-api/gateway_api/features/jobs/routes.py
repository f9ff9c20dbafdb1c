"""/api/jobs, and the requests that make jobs."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from dj_contracts.jobs import Job, JobEvent, JobState
from dj_contracts.tracks import TrackID
from dj_servicekit.http import error_answers
from gateway_api.dependencies import Gateway, Limit, Owner, TrackIDPath
from gateway_api.features.jobs import file_jobs, usecases
from gateway_api.features.jobs.models import JobList

router = APIRouter(prefix="/api", tags=["jobs"])

JobID = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,100}$", examples=["7b0e5a9c"])]

ReleaseID = Annotated[str, Path(pattern=r"^[^\x00-\x1f/]{1,200}$", examples=["12345"])]


@router.get("/jobs", responses=error_answers(422))
async def list_jobs(
    gateway: Gateway,
    owner: Owner,
    state: JobState | None = None,
    track_id: TrackID | None = None,
    limit: Limit = 50,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> JobList:
    return await usecases.list_jobs(
        gateway.db, owner, state=state, track_id=track_id, limit=limit, offset=offset
    )


@router.get("/jobs/events", response_class=EventSourceResponse, responses=error_answers(422))
async def job_events(gateway: Gateway, owner: Owner) -> AsyncIterator[ServerSentEvent]:
    """Every change of a job, as it happens. A comment now and then shows that the line is open.

    Events may be missed while the line is down: read /api/jobs after connecting again."""
    async for event in gateway.events.listen():
        if event is None:
            yield ServerSentEvent(comment="still here")
        elif event.username == owner:
            yield _sent(event)


def _sent(event: JobEvent) -> ServerSentEvent:
    return ServerSentEvent(event="job", data=event)


@router.get("/jobs/{job_id}", responses=error_answers(404, 422))
async def get_job(gateway: Gateway, owner: Owner, job_id: JobID) -> Job:
    return await usecases.get_job(gateway.db, owner, job_id)


@router.post("/jobs/{job_id}/cancel", responses=error_answers(404, 409, 422))
async def cancel_job(gateway: Gateway, owner: Owner, job_id: JobID) -> Job:
    return await usecases.cancel_job(owner, job_id, db=gateway.db, queue=gateway.queue, events=gateway.events)


@router.post("/jobs/{job_id}/retry", responses=error_answers(404, 409, 422))
async def retry_job(gateway: Gateway, owner: Owner, job_id: JobID) -> Job:
    return await usecases.retry_job(owner, job_id, db=gateway.db, queue=gateway.queue, events=gateway.events)


@router.post("/tracks/{track_id}/analyze", status_code=202, responses=error_answers(404, 409, 422))
async def request_analysis(gateway: Gateway, owner: Owner, track_id: TrackIDPath) -> Job:
    """Measure a track's file (again). An open job for it is answered instead of a second one."""
    return await usecases.request_analysis(
        owner, track_id, db=gateway.db, queue=gateway.queue, events=gateway.events
    )


@router.post("/tracks/{track_id}/fix-duration", status_code=202, responses=error_answers(404, 409, 422))
async def request_duration_fix(gateway: Gateway, owner: Owner, track_id: TrackIDPath) -> Job:
    """Play a track's file to its end, and take its length from that rather than from its tags."""
    return await file_jobs.request_duration_fix(owner, track_id, gateway)


@router.post("/tracks/{track_id}/extract-cover-art", status_code=202, responses=error_answers(404, 409, 422))
async def request_cover(gateway: Gateway, owner: Owner, track_id: TrackIDPath) -> Job:
    """Take the cover out of the tags of a track's file."""
    return await file_jobs.request_cover(owner, track_id, gateway)


@router.post("/albums/{release_id}/extract-cover-art", status_code=202, responses=error_answers(404, 422))
async def request_album_cover(gateway: Gateway, owner: Owner, release_id: ReleaseID) -> Job:
    """Take the cover out of the first file of a release that has one, for all of its tracks."""
    return await file_jobs.request_album_cover(owner, release_id, gateway)
