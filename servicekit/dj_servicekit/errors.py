"""The root of every error that a service means to answer with."""

from typing import ClassVar

from dj_contracts.errors import ErrorCode


class ServiceError(Exception):
    """The world said no, and we know how to say so. Anything else that escapes is our bug."""

    status: ClassVar[int] = 500
    code: ErrorCode = ErrorCode.INTERNAL

    def __init__(
        self,
        detail: str,
        *,
        code: ErrorCode | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.headers = headers


class Malformed(ServiceError):
    status = 422
    code = ErrorCode.MALFORMED


class Unauthorized(ServiceError):
    status = 401
    code = ErrorCode.UNAUTHORIZED


class Forbidden(ServiceError):
    status = 403
    code = ErrorCode.FORBIDDEN


class NotFound(ServiceError):
    status = 404
    code = ErrorCode.NOT_FOUND


class Conflict(ServiceError):
    status = 409
    code = ErrorCode.CONFLICT


class TooLarge(ServiceError):
    status = 413
    code = ErrorCode.TOO_LARGE


class NotAudio(ServiceError):
    status = 415
    code = ErrorCode.NOT_AUDIO


class Busy(ServiceError):
    """The queue is full: the same request may succeed in a moment."""

    status = 503
    code = ErrorCode.BUSY

    def __init__(self, detail: str, *, retry_after_seconds: int = 2) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_seconds)})


class UpstreamUnavailable(ServiceError):
    status = 503
    code = ErrorCode.UPSTREAM_UNAVAILABLE


class UpstreamFailed(ServiceError):
    status = 502
    code = ErrorCode.UPSTREAM_FAILED


class UpstreamTimeout(ServiceError):
    status = 504
    code = ErrorCode.UPSTREAM_TIMEOUT
