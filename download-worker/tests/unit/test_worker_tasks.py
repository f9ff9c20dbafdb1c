"""What becomes of an attempt that ends in an error nobody expected."""

import errno
import os
from typing import Any

import pytest

from dj_contracts.errors import ErrorCode
from dj_contracts.jobs import DurationPayload, JobClaim, JobFailure, JobPulse
from download_worker import tasks
from download_worker.settings import Settings


class Gateway:
    def __init__(self) -> None:
        self.failures: list[JobFailure] = []

    def progress(self, *_: Any) -> JobPulse:
        return JobPulse(cancelled=False)

    def fail(self, _job_id: str, failure: JobFailure, **_: Any) -> None:
        self.failures.append(failure)


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, ErrorCode.DISK_FULL), (errno.EIO, ErrorCode.INTERNAL)]
)
def test_a_full_disk_is_told_from_a_fault_wherever_it_shows(
    monkeypatch: pytest.MonkeyPatch, number: int, code: ErrorCode
) -> None:
    def perform(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(tasks, "_perform", perform)
    gateway: Any = Gateway()
    claim = JobClaim(
        id="j1", attempt=1, username="dj", track_id="t1", payload=DurationPayload(audio_path="dj/a.mp3")
    )
    tasks._attempt(claim, gateway, Settings.model_construct(heartbeat_seconds=5, report_patience_seconds=1))
    (failure,) = gateway.failures
    assert (failure.code, failure.transient) == (code, True)
