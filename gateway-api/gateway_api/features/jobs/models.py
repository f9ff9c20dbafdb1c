"""A job as the database holds it, and how it becomes the job and the event of the API."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from dj_contracts.downloads import SourceTry
from dj_contracts.errors import ErrorCode
from dj_contracts.jobs import Job, JobEvent, JobKind, JobState

# Kinds that no worker runs: the gateway does, for they are mostly rows.
OF_THE_GATEWAY = frozenset({JobKind.SCAN, JobKind.REANALYZE})


@dataclass(frozen=True)
class JobRow:
    id: str
    username: str
    track_id: str | None
    kind: str
    state: str
    payload: dict[str, Any]
    attempts: int
    tries_before: int
    progress: float
    stage: str
    error_code: str | None
    error: str | None
    result: dict[str, Any] | None
    priority: int
    host: str | None
    batch_id: str | None
    bytes_done: int | None
    bytes_total: int | None
    bytes_per_second: float | None
    tried: list[dict[str, Any]]
    request_id: str | None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None

    def to_job(self) -> Job:
        return Job(
            id=self.id,
            name=JobKind(self.kind),
            username=self.username,
            track_id=self.track_id,
            state=JobState(self.state),
            progress=self.progress,
            stage=self.stage,
            attemptsMade=self.attempts,
            data=self.payload,
            returnvalue=self.result,
            failedReason=self.error,
            error_code=ErrorCode(self.error_code) if self.error_code else None,
            bytes_done=self.bytes_done,
            bytes_total=self.bytes_total,
            bytes_per_second=self.bytes_per_second,
            tried=[SourceTry.model_validate(one) for one in self.tried],
            created_at=self.created_at,
            updated_at=self.updated_at,
            finished_at=self.finished_at,
        )

    def to_event(self) -> JobEvent:
        return JobEvent(
            job_id=self.id,
            username=self.username,
            name=JobKind(self.kind),
            track_id=self.track_id,
            state=JobState(self.state),
            progress=self.progress,
            stage=self.stage,
            bytes_done=self.bytes_done,
            bytes_total=self.bytes_total,
            bytes_per_second=self.bytes_per_second,
            error_code=ErrorCode(self.error_code) if self.error_code else None,
            failedReason=self.error,
        )


class Pagination(BaseModel):
    limit: int
    offset: int
    total: int


class JobList(BaseModel):
    """Jobs, newest first; ``summary`` counts all of the collection's jobs by state."""

    jobs: list[Job]
    summary: dict[JobState, int]
    pagination: Pagination
