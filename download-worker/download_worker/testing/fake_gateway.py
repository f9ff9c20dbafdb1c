"""The gateway's internal job API in memory, as strict as the real one about attempts and tokens."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, ValidationError

from dj_contracts.downloads import FingerprintAnswer, FingerprintQuestion, SameSound, WantedTrack
from dj_contracts.jobs import DownloadDone, JobClaim, JobCompletion, JobFailure, JobProgress, JobState
from dj_contracts.workers import WorkerReport
from download_worker.testing.server import Handler, serving

TOKEN = "service-token"  # noqa: S105 - of the stand-in only
_PATH = re.compile(r"/internal/jobs/([A-Za-z0-9_-]+)/(claim|progress|complete|fail)")
_MESSAGES: dict[str, type[BaseModel]] = {
    "progress": JobProgress,
    "complete": JobCompletion,
    "fail": JobFailure,
}


@dataclass
class FakeJob:
    id: str
    payload: dict[str, Any]
    username: str = "dj"
    track_id: str = "12345-A1"
    wanted: dict[str, Any] | None = None
    request_id: str | None = None
    cancel_at: str | None = None  # a stage of its progress, or "complete"
    state: JobState = JobState.WAITING
    attempts: int = 0
    heartbeat_at: float = 0.0
    pulses: list[JobProgress] = field(default_factory=list)
    pulse_times: list[float] = field(default_factory=list)
    completions: list[JobCompletion] = field(default_factory=list)
    failures: list[JobFailure] = field(default_factory=list)

    @property
    def downloaded(self) -> DownloadDone:
        done = self.completions[0].outcome
        if not isinstance(done, DownloadDone):
            raise TypeError(f"{self.id} is not a download.")
        return done


class FakeGateway:
    """``broken_answers`` is what the next requests get instead, to play a gateway in trouble."""

    def __init__(self) -> None:
        self.jobs: dict[str, FakeJob] = {}
        self.lock = threading.Lock()
        self.broken_answers: list[int] = []
        self.refused: list[tuple[str, str]] = []
        self.worker_reports: list[WorkerReport] = []
        self.report_status = 204
        self.same_sound: list[SameSound] = []
        self.asked: list[FingerprintQuestion] = []
        self.request_ids: list[tuple[str, str]] = []
        self.audio: dict[str, bytes] = {}
        self.audio_status: int | None = None
        self.audio_asked = 0
        self.url = ""

    def add(self, job_id: str, payload: dict[str, Any], **fields: Any) -> FakeJob:
        with self.lock:
            job = self.jobs[job_id] = FakeJob(job_id, payload, **fields)
        return job

    def cancel(self, job_id: str) -> None:
        with self.lock:
            self.jobs[job_id].state = JobState.CANCELLED

    def release(self, job_id: str) -> None:
        """Give the attempt up, as the real one does when heartbeats stay away."""
        with self.lock:
            self.jobs[job_id].state = JobState.WAITING

    def find_audio(self, path: str, token: str) -> bytes | None:
        asked = urlsplit(path)
        name = parse_qs(asked.query).get("filename", [""])[0]
        ours = token == f"Bearer {TOKEN}" and asked.path == "/internal/audio"
        return self.audio.get(name) if ours else None

    def handle(self, path: str, token: str, body: bytes) -> tuple[int, dict[str, Any]]:
        with self.lock:
            if path == "/internal/workers":
                # Apart from the rest, so that a test which breaks answers breaks those it means.
                self.worker_reports.append(WorkerReport.model_validate_json(body))
                return self.report_status, {}
            if self.broken_answers:
                return self.broken_answers.pop(0), {}
            if token != f"Bearer {TOKEN}":
                return 401, {}
            if path == "/internal/fingerprints/match":
                self.asked.append(FingerprintQuestion.model_validate_json(body))
                return 200, FingerprintAnswer(matches=self.same_sound).model_dump(mode="json")
            found = _PATH.fullmatch(path)
            job = self.jobs.get(found[1]) if found else None
            if not found or not job:
                return 404, {}
            if found[2] == "claim":
                return self._claim(job)
            try:
                message = _MESSAGES[found[2]].model_validate_json(body)
            except ValidationError as exc:
                return 422, {"detail": str(exc)}
            return self._report(job, found[2], message)

    def _claim(self, job: FakeJob) -> tuple[int, dict[str, Any]]:
        if job.state != JobState.WAITING:
            return 409, {}
        job.state, job.attempts, job.heartbeat_at = JobState.ACTIVE, job.attempts + 1, time.monotonic()
        claim = JobClaim.model_validate(
            {
                "id": job.id,
                "username": job.username,
                "track_id": job.track_id,
                "attempt": job.attempts,
                "payload": job.payload,
                "wanted": job.wanted and WantedTrack.model_validate(job.wanted),
                "request_id": job.request_id,
            }
        )
        return 200, claim.model_dump(mode="json")

    def _report(self, job: FakeJob, what: str, message: Any) -> tuple[int, dict[str, Any]]:
        current = message.attempt == job.attempts
        if job.cancel_at and job.cancel_at in (what, getattr(message, "stage", "")):
            job.state = JobState.CANCELLED
        if what == "progress" and current and job.state == JobState.CANCELLED:
            return 200, {"cancelled": True}
        if not current or job.state != JobState.ACTIVE:
            self.refused.append((job.id, what))
            return 409, {}
        if what == "progress":
            job.heartbeat_at = time.monotonic()
            job.pulses.append(message)
            job.pulse_times.append(job.heartbeat_at)
            return 200, {"cancelled": False}
        if what == "complete":
            if message.outcome.kind != job.payload["kind"]:
                return 422, {"detail": "another kind of outcome"}
            job.completions.append(message)
            job.state = JobState.COMPLETED
        else:
            job.failures.append(message)
            job.state = JobState.WAITING if message.transient else JobState.FAILED
        return 204, {}


@contextmanager
def fake_gateway(port: int = 0, gateway: FakeGateway | None = None) -> Iterator[FakeGateway]:
    """Give an earlier gateway and its port to play one that comes back."""
    known = gateway or FakeGateway()

    class GatewayHandler(Handler):
        def do_GET(self) -> None:  # noqa: N802 - the base class's name
            known.audio_asked += 1
            content = known.find_audio(self.path, self.headers.get("Authorization", ""))
            self.answer(known.audio_status or (404 if content is None else 200), content or b"")

        def do_POST(self) -> None:  # noqa: N802 - the base class's name
            body = self.body()
            known.request_ids.append((self.path, self.headers.get("X-Request-ID", "")))
            status, answer = known.handle(self.path, self.headers.get("Authorization", ""), body)
            self.answer(status, answer if status != 204 else b"")

    with serving(GatewayHandler, port) as server:
        known.url = server.url
        yield known
