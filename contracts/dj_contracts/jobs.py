"""Jobs as clients see them, and what the worker and the gateway say to each other about one.

A job lives in Postgres. Redis carries only its id, so an emptied Redis loses no work: the gateway
hands the id out again. ``attempt`` fences reports: one from an attempt that was given up is refused.
"""

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from dj_contracts.analysis import AnalysisResult
from dj_contracts.downloads import (
    AudioFormat,
    Candidate,
    FilePath,
    Fingerprint,
    SourceList,
    SourceName,
    SourceTry,
    WantedTrack,
)
from dj_contracts.errors import ErrorCode

QUEUE_NAME = "dj-jobs"
BATCH_QUEUE_NAME = "dj-jobs-batch"
RUN_JOB = "download_worker.tasks.run_job"
EVENTS_CHANNEL = "dj:events"


class JobKind(StrEnum):
    ANALYZE = "analyze"
    DOWNLOAD = "download"
    SCAN = "scan"
    FIX_DURATION = "fix-duration"
    COVER_ART = "extract-cover-art"
    ALBUM_COVER_ART = "extract-cover-art-album"
    REANALYZE = "reanalyze"


class JobPriority(IntEnum):
    """The lower runs first. Workers empty the queue of the first before they look at the second."""

    PERSON = 0
    BATCH = 10


class JobState(StrEnum):
    WAITING = "waiting"
    ACTIVE = "active"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job(BaseModel):
    """One job, with the field names that older clients read beside our own."""

    id: str
    name: JobKind
    username: str
    track_id: str | None
    state: JobState
    progress: float = Field(ge=0, le=100, description="Per cent.")
    stage: str
    attemptsMade: int  # noqa: N815 - older clients read this name
    data: dict[str, Any]
    returnvalue: dict[str, Any] | None
    failedReason: str | None  # noqa: N815 - older clients read this name
    error_code: ErrorCode | None
    bytes_done: int | None = None
    bytes_total: int | None = None
    bytes_per_second: float | None = None
    tried: list[SourceTry] = Field(default=[], description="Sources that gave no file, and why.")
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None


class JobEvent(BaseModel):
    """What ``GET /api/jobs/events`` sends, once for each change of a job."""

    job_id: str
    username: str
    name: JobKind
    track_id: str | None
    state: JobState
    progress: float
    stage: str
    bytes_done: int | None = None
    bytes_total: int | None = None
    bytes_per_second: float | None = None
    error_code: ErrorCode | None = None
    failedReason: str | None = None  # noqa: N815 - as in Job


class AnalyzePayload(BaseModel):
    """Measure the file that a track has now."""

    kind: Literal[JobKind.ANALYZE] = JobKind.ANALYZE
    audio_path: str = Field(description="Below the audio folder, or absolute in a music folder.")


class DownloadPayload(BaseModel):
    """Get a track's audio: from a link, from a file, or from wherever the sources find it.

    Without ``sources`` only what is named here is tried; with them each in turn, the first first."""

    kind: Literal[JobKind.DOWNLOAD] = JobKind.DOWNLOAD
    url: str | None = None
    file: FilePath | None = Field(
        default=None, description="Below the audio folder, or absolute in a music folder."
    )
    sources: SourceList = []
    format: AudioFormat | None = Field(default=None, description="Left out: kept as it comes.")
    write_tags: bool = False
    duration_seconds: float | None = Field(default=None, gt=0, description="How long it has to be.")
    any_length: bool = Field(default=False, description="Do not compare the length with what is known.")
    allow_duplicate: bool = Field(default=False, description="Take it although another track sounds so.")


class DurationPayload(BaseModel):
    """Play the file that a track has now to its end, and take its length from that."""

    kind: Literal[JobKind.FIX_DURATION] = JobKind.FIX_DURATION
    audio_path: str


class CoverArtPayload(BaseModel):
    """Take the front cover out of the tags of the first of these files that has one."""

    kind: Literal[JobKind.COVER_ART, JobKind.ALBUM_COVER_ART] = JobKind.COVER_ART
    audio_paths: list[str] = Field(min_length=1)


Payload = Annotated[
    AnalyzePayload | DownloadPayload | DurationPayload | CoverArtPayload, Field(discriminator="kind")
]


class JobClaim(BaseModel):
    """The gateway's answer to a worker that starts a job: all that the job needs to know."""

    model_config = ConfigDict(extra="ignore")

    id: str
    username: str
    track_id: str
    attempt: int
    payload: Payload
    wanted: WantedTrack | None = Field(default=None, description="Given for a download.")
    request_id: str | None = Field(default=None, description="Of the request that the job came from.")


class JobProgress(BaseModel):
    """A sign of life from the worker; progress is optional, so a heartbeat is the same message."""

    attempt: int
    progress: float | None = Field(default=None, ge=0, le=100)
    stage: str | None = Field(default=None, max_length=200)
    bytes_done: int | None = Field(default=None, ge=0)
    bytes_total: int | None = Field(default=None, ge=0)
    bytes_per_second: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class JobPulse(BaseModel):
    """The gateway's answer to a sign of life."""

    cancelled: bool


class AnalysisDone(BaseModel):
    kind: Literal[JobKind.ANALYZE] = JobKind.ANALYZE
    analysis: AnalysisResult
    fingerprint: Fingerprint | None = None


class DownloadDone(BaseModel):
    kind: Literal[JobKind.DOWNLOAD] = JobKind.DOWNLOAD
    audio_path: str
    duration_seconds: float
    source_url: str = Field(description="The link, or the name of the file it was.")
    source: SourceName | None = None
    size_bytes: int | None = Field(default=None, ge=0)
    mtime_ns: int | None = None
    codec: str | None = Field(default=None, description="Of the file as it is attached.")
    lossless: bool | None = Field(default=None, description="No lossy step on the way, as far as is known.")
    tags_written: bool = False
    fingerprint: Fingerprint | None = None
    tried: list[SourceTry] = []


class DurationDone(BaseModel):
    kind: Literal[JobKind.FIX_DURATION] = JobKind.FIX_DURATION
    duration_seconds: float = Field(gt=0)


class CoverArtDone(BaseModel):
    kind: Literal[JobKind.COVER_ART, JobKind.ALBUM_COVER_ART] = JobKind.COVER_ART
    cover_path: str = Field(description="Below the audio folder.")


Done = AnalysisDone | DownloadDone | DurationDone | CoverArtDone


class JobCompletion(BaseModel):
    attempt: int
    outcome: Annotated[Done, Field(discriminator="kind")]


class JobFailure(BaseModel):
    attempt: int
    code: ErrorCode
    detail: str = Field(description="What a DJ reads: what happened and what to do.")
    transient: bool = Field(description="Trying again later may help.")
    tried: list[SourceTry] = []
    candidates: Annotated[list[Candidate], Field(max_length=50)] = Field(
        default=[], description="What a search found and a person has to judge."
    )
