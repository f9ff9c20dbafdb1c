"""The analysis job: ask essentia-api, and tell its temporary refusals from its final ones."""

import json
import threading
import time
from contextlib import closing
from typing import Any

from pydantic import ValidationError

from dj_contracts.analysis import AnalysisResult
from dj_contracts.errors import ErrorCode
from dj_contracts.jobs import AnalysisDone, AnalyzePayload
from dj_servicekit.http import REQUEST_ID_HEADER
from dj_servicekit.logs import log
from download_worker.attempt import Attempt
from download_worker.errors import JobFailed
from download_worker.line import Answer, Line, LineError, NotConnected, TooSlow
from download_worker.settings import Settings
from download_worker.stopping import stop_requested

_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 10.0
_AWAY_STATUSES = (429, 502, 503)
# A service that ends in the middle of a file may do so for the file's sake, so these count as an attempt.
_MOST_BREAKS = 3


def analyze(payload: AnalyzePayload, attempt: Attempt, settings: Settings) -> AnalysisDone:
    """Wait a little while essentia-api is away or busy: that is no fault of the job. Then let go of it, so
    that downloads go on meanwhile; the gateway hands it out again and counts no attempt."""
    give_up_at = time.monotonic() + settings.essentia_patience_seconds
    pause = _FIRST_WAIT_SECONDS
    breaks = 0
    while True:
        attempt.report("analysing")
        try:
            answer = _ask(payload, attempt, settings)
        except TooSlow as exc:
            raise JobFailed(
                ErrorCode.UPSTREAM_TIMEOUT,
                f"The analysis took longer than {settings.analysis_timeout_seconds:.0f} seconds. Try it again"
                " when the machine is less busy, or raise ANALYSIS_TIMEOUT_SECONDS.",
                transient=True,
            ) from exc
        except NotConnected as exc:
            reason = str(exc)
        except LineError as exc:
            reason = str(exc)
            breaks += 1
            if breaks == _MOST_BREAKS:
                raise JobFailed(
                    ErrorCode.ANALYSIS_CRASHED,
                    f"The analysis service broke off {breaks} times over this file. It is tried again by"
                    " itself; if that does not help, try a fresh copy of the file.",
                    transient=True,
                ) from exc
        else:
            if answer.status not in _AWAY_STATUSES:
                return AnalysisDone(analysis=_read(answer))
            reason = f"answered {answer.status}"
            pause = max(pause, _retry_after_seconds(answer))
        if stop_requested() or time.monotonic() + pause > give_up_at:
            raise JobFailed(
                ErrorCode.UPSTREAM_UNAVAILABLE,
                "The analysis service is away or busy. The job is tried again by itself; if this stays so,"
                " look at the state of essentia-api.",
                transient=True,
            )
        log.info("essentia_waited_for", reason=reason, seconds=pause)
        attempt.report("waiting for the analysis service")
        attempt.wait(pause)
        pause = min(pause * 2, _LONGEST_WAIT_SECONDS)


def _ask(payload: AnalyzePayload, attempt: Attempt, settings: Settings) -> Answer:
    """Ask from a thread that can be left behind, so that a cancelled job ends at once."""
    answers: list[Answer | LineError] = []
    headers = {"Content-Type": "application/json"}
    if attempt.claim.request_id:
        headers[REQUEST_ID_HEADER] = attempt.claim.request_id

    def ask() -> None:
        try:
            with closing(Line(settings.essentia_url)) as line:
                answer = line.post(
                    "/analyze",
                    json.dumps({"filename": payload.audio_path}).encode(),
                    headers,
                    timeout_seconds=settings.analysis_timeout_seconds,
                )
            answers.append(answer)
        except LineError as exc:
            answers.append(exc)

    thread = threading.Thread(target=ask, name="essentia", daemon=True)
    thread.start()
    while thread.is_alive():
        attempt.check()
        thread.join(timeout=0.1)
    if not answers:
        raise RuntimeError("The question to essentia-api ended without an answer; the log above says why.")
    if isinstance(answers[0], LineError):
        raise answers[0]
    return answers[0]


def _read(answer: Answer) -> AnalysisResult:
    if not answer.is_success:
        code, detail = _error_of(answer)
        raise JobFailed(code, detail, transient=answer.status >= 500)
    try:
        return AnalysisResult.model_validate_json(answer.content)
    except ValidationError as exc:
        raise JobFailed(
            ErrorCode.UPSTREAM_FAILED,
            "The analysis service answered in a form that this version does not know."
            " Update both to the same version.",
        ) from exc


def _error_of(answer: Answer) -> tuple[ErrorCode, str]:
    try:
        body: Any = answer.json()
        return ErrorCode(body["code"]), str(body["detail"])
    except (ValueError, KeyError, TypeError):
        return (
            ErrorCode.UPSTREAM_FAILED,
            f"The analysis service answered {answer.status}. Its log says why.",
        )


def _retry_after_seconds(answer: Answer) -> float:
    given = answer.retry_after
    return min(float(given), _LONGEST_WAIT_SECONDS) if given.isdigit() else 0.0
