"""Why an analysis was refused or failed.

    ServiceError
    ├── FileMissing 404, Forbidden 403, UploadTooSlow 408, TooLarge 413, NotAudio 415, GivenUp 499, Busy 503
    └── Unusable 422: file_empty, file_unreadable, too_long, analysis_crashed, analysis_timeout

A failure of one file is 422 and never 5xx: the same file would fail again, so nobody should retry it.
"""

from typing import Any

from dj_contracts.errors import ErrorCode
from dj_servicekit.errors import NotAudio, NotFound, ServiceError, TooLarge


class FileMissing(NotFound):
    code = ErrorCode.FILE_MISSING


class Unusable(ServiceError):
    status = 422
    code = ErrorCode.FILE_UNREADABLE


class UploadTooSlow(ServiceError):
    status = 408
    code = ErrorCode.UPSTREAM_TIMEOUT


class GivenUp(ServiceError):
    """For the counters and the logs: who asked is gone."""

    status = 499
    code = ErrorCode.CANCELLED

    def __init__(self) -> None:
        super().__init__("Whoever asked has hung up.")


class Refusal(Exception):
    """A file cannot be measured. Raised in a pool process, so it must survive pickling."""

    def __init__(self, code: ErrorCode, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.code, self.detail)

    def as_answer(self) -> ServiceError:
        if self.code is ErrorCode.NOT_AUDIO:
            return NotAudio(self.detail)
        if self.code is ErrorCode.TOO_LARGE:
            return TooLarge(self.detail)
        return Unusable(self.detail, code=self.code)
