"""The error codes of the whole constellation and the one shape of an error on the wire."""

from enum import StrEnum

from pydantic import BaseModel, Field, computed_field


class ErrorCode(StrEnum):
    """What went wrong, for programs. The sentence beside it is for people."""

    # The request
    MALFORMED = "malformed"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    PRECONDITION_FAILED = "precondition_failed"
    RATE_LIMITED = "rate_limited"
    RANGE_NOT_SATISFIABLE = "range_not_satisfiable"
    UNUSABLE_TRACKS = "unusable_tracks"
    # The audio
    NOT_AUDIO = "not_audio"
    FILE_MISSING = "file_missing"
    FILE_EMPTY = "file_empty"
    FILE_UNREADABLE = "file_unreadable"
    TOO_LONG = "too_long"
    ANALYSIS_CRASHED = "analysis_crashed"
    ANALYSIS_TIMEOUT = "analysis_timeout"
    # Getting audio from elsewhere
    SOURCE_FORBIDDEN = "source_forbidden"
    SOURCE_GONE = "source_gone"
    SOURCE_UNSUPPORTED = "source_unsupported"
    SOURCE_UNAVAILABLE = "source_unavailable"
    SOURCE_PRIVATE = "source_private"
    COOKIES_EXPIRED = "cookies_expired"
    AGE_RESTRICTED = "age_restricted"
    GEO_BLOCKED = "geo_blocked"
    DRM_PROTECTED = "drm_protected"
    WRONG_LENGTH = "wrong_length"
    DUPLICATE_AUDIO = "duplicate_audio"
    NOT_LOSSLESS = "not_lossless"
    NO_MATCH = "no_match"
    NEEDS_REVIEW = "needs_review"
    # The machine, and what stands behind us
    BUSY = "busy"
    DISK_FULL = "disk_full"
    UPSTREAM_UNAVAILABLE = "upstream_unavailable"
    UPSTREAM_TIMEOUT = "upstream_timeout"
    UPSTREAM_FAILED = "upstream_failed"
    CANCELLED = "cancelled"
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    INTERNAL = "internal"


class ErrorBody(BaseModel):
    """Every 4xx and 5xx answer. ``error`` repeats the detail where older callers look for it."""

    code: ErrorCode
    detail: str = Field(description="What happened and what to do next, in a sentence.")
    request_id: str

    @computed_field  # type: ignore[prop-decorator]  # pydantic's documented form for a property
    @property
    def error(self) -> str:
        return self.detail
