"""/internal/jobs: what the worker says. Behind the service token, and not in the public document."""

from fastapi import APIRouter

from dj_contracts.jobs import AnalyzePayload, JobClaim, JobCompletion, JobFailure, JobProgress, JobPulse
from gateway_api.dependencies import Gateway
from gateway_api.features.audio.usecases import find_reader_url
from gateway_api.features.jobs import usecases
from gateway_api.features.jobs.routes import JobID

router = APIRouter(prefix="/internal/jobs", include_in_schema=False)


@router.post("/{job_id}/claim", response_model_exclude_unset=True)
async def claim(gateway: Gateway, job_id: JobID) -> JobClaim:
    # Before the claim: a bucket that is away then leaves the job waiting, and costs it no attempt.
    url = await find_reader_url(job_id, gateway)
    claim = await usecases.claim_job(job_id, db=gateway.db, queue=gateway.queue, events=gateway.events)
    if url is not None and isinstance(claim.payload, AnalyzePayload):
        claim.payload.audio_path = url
    return claim


@router.post("/{job_id}/progress")
async def progress(gateway: Gateway, job_id: JobID, report: JobProgress) -> JobPulse:
    return await usecases.report_progress(job_id, report, db=gateway.db, events=gateway.events)


@router.post("/{job_id}/complete", status_code=204)
async def complete(gateway: Gateway, job_id: JobID, completion: JobCompletion) -> None:
    await usecases.complete_job(job_id, completion, db=gateway.db, queue=gateway.queue, events=gateway.events)


@router.post("/{job_id}/fail", status_code=204)
async def fail(gateway: Gateway, job_id: JobID, failure: JobFailure) -> None:
    await usecases.fail_job(
        job_id,
        failure,
        max_attempts=gateway.settings.job_max_attempts,
        db=gateway.db,
        queue=gateway.queue,
        events=gateway.events,
    )
