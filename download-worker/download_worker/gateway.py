"""The worker's side of the gateway's internal job API.

A gateway that is away is waited for, with back-off. A 409 means that the attempt is not ours.
"""

import time
import uuid
from collections.abc import Callable
from pathlib import Path

import httpx
from pydantic import BaseModel

from dj_contracts.downloads import FingerprintAnswer, FingerprintQuestion
from dj_contracts.errors import ErrorCode
from dj_contracts.jobs import JobClaim, JobCompletion, JobFailure, JobProgress, JobPulse
from dj_servicekit.http import REQUEST_ID_HEADER
from download_worker.errors import GatewayAway, GivenUp, JobFailed
from download_worker.http_client import new_client
from download_worker.line import Answer, Line, LineError

_FIRST_WAIT_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 5.0
_ANSWER_SECONDS = 10
_TIMEOUT = httpx.Timeout(_ANSWER_SECONDS, connect=3)


class GatewayClient:
    """``wait`` sleeps between tries and may raise to end the waiting, as when the worker stops."""

    def __init__(self, url: str, token: str, *, wait: Callable[[float], None] = time.sleep) -> None:
        self._url = url
        self._token = token
        self.request_id = uuid.uuid4().hex
        self._wait = wait
        self._line = Line(url)

    def claim(self, job_id: str, *, patience_seconds: float) -> JobClaim:
        """From here on all is said under the id of the request that the job came from."""
        answer = self._post(f"jobs/{job_id}/claim", None, patience_seconds)
        claim = JobClaim.model_validate_json(answer.content)
        self.request_id = claim.request_id or self.request_id
        return claim

    def progress(self, job_id: str, message: JobProgress) -> JobPulse:
        """One try only: the next heartbeat is a better second try than a late first one."""
        answer = self._post(f"jobs/{job_id}/progress", message, 0)
        return JobPulse.model_validate_json(answer.content)

    def complete(self, job_id: str, message: JobCompletion, *, patience_seconds: float) -> None:
        self._post(f"jobs/{job_id}/complete", message, patience_seconds)

    def fail(self, job_id: str, message: JobFailure, *, patience_seconds: float) -> None:
        self._post(f"jobs/{job_id}/fail", message, patience_seconds)

    def find_same_sound(self, question: FingerprintQuestion, *, patience_seconds: float) -> FingerprintAnswer:
        answer = self._post("fingerprints/match", question, patience_seconds)
        return FingerprintAnswer.model_validate_json(answer.content)

    def fetch_audio(
        self,
        username: str,
        audio_path: str,
        target: Path,
        *,
        check: Callable[[], None],
        patience_seconds: float,
    ) -> bool:
        """A track's file, written to ``target``. False when the gateway has no such file for this track."""
        give_up_at = time.monotonic() + patience_seconds
        pause = _FIRST_WAIT_SECONDS
        while True:
            try:
                with (
                    new_client(base_url=self._url, headers=self._headers(), timeout=_TIMEOUT) as http,
                    http.stream(
                        "GET", "/internal/audio", params={"username": username, "filename": audio_path}
                    ) as answer,
                ):
                    if answer.status_code in (403, 404):
                        return False
                    if 400 <= answer.status_code < 500 and answer.status_code != 429:
                        # It would answer the same again.
                        raise JobFailed(
                            ErrorCode.UPSTREAM_FAILED,
                            f"The gateway answered {answer.status_code} to a worker that asked for a file."
                            " Update both to the same version.",
                            transient=True,
                        )
                    answer.raise_for_status()
                    with target.open("wb") as file:
                        for chunk in answer.iter_bytes():
                            check()
                            file.write(chunk)
                    return True
            except httpx.HTTPError as exc:
                if time.monotonic() + pause > give_up_at:
                    raise GatewayAway(f"The gateway did not send the file: {exc!r}") from exc
            check()
            self._wait(pause)
            pause = min(pause * 2, _LONGEST_WAIT_SECONDS)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}", REQUEST_ID_HEADER: self.request_id}

    def _post(self, path: str, message: BaseModel | None, patience_seconds: float) -> Answer:
        body = message.model_dump_json().encode() if message else b""
        headers = self._headers() | ({"Content-Type": "application/json"} if message else {})
        give_up_at = time.monotonic() + patience_seconds
        pause = _FIRST_WAIT_SECONDS
        while True:
            try:
                answer = self._line.post(f"/internal/{path}", body, headers, timeout_seconds=_ANSWER_SECONDS)
            except LineError as exc:
                problem: Exception = GatewayAway(f"The gateway cannot be reached: {exc}")
            else:
                if answer.status in (404, 409):
                    raise GivenUp(f"The gateway answered {answer.status} to {path}.")
                if answer.is_success:
                    return answer
                problem = GatewayAway(f"The gateway answered {answer.status} to {path}.")
                if answer.status == 422:
                    # It would answer the same for ever, so waiting would only hide our fault.
                    raise ValueError(f"The gateway did not understand {path}: {answer.content[:500]!r}")
            if time.monotonic() + pause > give_up_at:
                raise problem
            self._wait(pause)
            pause = min(pause * 2, _LONGEST_WAIT_SECONDS)
