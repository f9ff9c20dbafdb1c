"""What RQ runs, by name: one job, from its claim at the gateway to its report."""

import time
from functools import cache

from structlog.contextvars import bound_contextvars

from dj_contracts.errors import ErrorCode
from dj_contracts.jobs import (
    AnalyzePayload,
    CoverArtPayload,
    DownloadPayload,
    DurationPayload,
    JobClaim,
    JobCompletion,
    JobFailure,
)
from dj_servicekit.logs import log
from download_worker.analysis import analyze
from download_worker.attempt import Attempt
from download_worker.download import download
from download_worker.errors import DISK_FULL, Dropped, GatewayAway, GivenUp, JobFailed, is_disk_full
from download_worker.fingerprint import fingerprint_of
from download_worker.gateway import GatewayClient
from download_worker.outcome import Outcome
from download_worker.settings import Settings
from download_worker.stopping import stop_requested
from download_worker.track_files import extract_cover, fix_duration


@cache
def known_settings() -> Settings:
    """Read once by the process that forks; RQ gives a job nothing but its id."""
    return Settings()


def run_job(job_id: str) -> bool:
    """Claim the job, do it, report it. False: it has to go back into the queue. This is only for RQ; the
    gateway keeps the truth."""
    settings = known_settings()
    gateway = GatewayClient(settings.gateway_url, settings.service_token.get_secret_value(), wait=_wait)
    with bound_contextvars(job_id=job_id):
        try:
            claim = gateway.claim(job_id, patience_seconds=settings.claim_patience_seconds)
        except GivenUp:
            log.info("job_not_ours")
            return True
        except GatewayAway as exc:
            log.warning("job_waits_for_gateway", reason=str(exc))
            return False
        with bound_contextvars(request_id=gateway.request_id, attempt=claim.attempt, track_id=claim.track_id):
            _attempt(claim, gateway, settings)
    return True


def _attempt(claim: JobClaim, gateway: GatewayClient, settings: Settings) -> None:
    started = time.monotonic()
    log.info("job_started", kind=claim.payload.kind)
    with Attempt(gateway, claim, heartbeat_seconds=settings.heartbeat_seconds) as attempt:
        try:
            outcome = _perform(claim, attempt, gateway, settings)
            _complete(outcome, attempt, gateway, settings)
            log.info("job_done", kind=claim.payload.kind, ms=round((time.monotonic() - started) * 1000))
        except Dropped as exc:
            log.info("job_dropped", reason=str(exc))
        except GatewayAway as exc:
            # The lease runs out and the gateway hands the job out again when it is back.
            log.error("job_report_lost", reason=str(exc))
        except JobFailed as exc:
            log.info("job_failed", code=exc.code, detail=exc.detail, transient=exc.transient)
            _fail(exc, claim, gateway, settings)
        except Exception as exc:  # noqa: BLE001 - whatever it is, the job must end with a report
            log.exception("job_crashed")
            bug = JobFailed(
                ErrorCode.INTERNAL,
                f"The worker has a fault. Its log has it under the job id {claim.id}.",
                transient=True,
            )
            _fail(DISK_FULL if is_disk_full(exc) else bug, claim, gateway, settings)


def _perform(claim: JobClaim, attempt: Attempt, gateway: GatewayClient, settings: Settings) -> Outcome:
    attempt.check()
    match claim.payload:
        case AnalyzePayload():
            done = analyze(claim.payload, attempt, settings)
            done.fingerprint = fingerprint_of(
                claim.payload.audio_path, done.analysis.duration_seconds, attempt, gateway, settings
            )
            return Outcome(done)
        case DownloadPayload():
            return download(claim.payload, attempt, gateway, settings)
        case DurationPayload():
            return fix_duration(claim.payload, attempt, gateway, settings)
        case CoverArtPayload():
            return extract_cover(claim.payload, attempt, gateway, settings)


def _complete(outcome: Outcome, attempt: Attempt, gateway: GatewayClient, settings: Settings) -> None:
    message = JobCompletion(attempt=attempt.claim.attempt, outcome=outcome.done)
    try:
        gateway.complete(attempt.claim.id, message, patience_seconds=settings.report_patience_seconds)
    except GivenUp:
        # Another attempt at the job may have attached the very same file, so it is only taken
        # away when the job as a whole was cancelled.
        if attempt.is_cancelled():
            outcome.discard()
        raise
    outcome.settle()


def _fail(failure: JobFailed, claim: JobClaim, gateway: GatewayClient, settings: Settings) -> None:
    message = JobFailure(
        attempt=claim.attempt,
        code=failure.code,
        detail=failure.detail,
        transient=failure.transient,
        tried=failure.tried,
        candidates=failure.candidates,
    )
    try:
        gateway.fail(claim.id, message, patience_seconds=settings.report_patience_seconds)
    except GivenUp:
        log.info("job_dropped", reason="The gateway had given the attempt up.")
    except GatewayAway as exc:
        log.error("job_report_lost", reason=str(exc))


def _wait(seconds: float) -> None:
    if stop_requested():
        raise GatewayAway("The worker is to stop, and does not wait for the gateway.")
    time.sleep(seconds)
