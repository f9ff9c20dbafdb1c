"""Why a job ends without a result.

JobFailed       the world said no, and a DJ gets a sentence about it
Dropped         this attempt is not ours any more: say nothing, leave nothing behind
  Cancelled       a person cancelled the job
  GivenUp         the gateway gave the attempt up, or this process is to end at once
GatewayAway     the gateway cannot be reached; the job waits
"""

import errno
from collections.abc import Sequence

from dj_contracts.downloads import Candidate, SourceTry
from dj_contracts.errors import ErrorCode


class JobFailed(Exception):
    """``tried`` are the sources that gave nothing; ``candidates`` are finds for a person to judge."""

    def __init__(
        self,
        code: ErrorCode,
        detail: str,
        *,
        transient: bool = False,
        tried: Sequence[SourceTry] = (),
        candidates: Sequence[Candidate] = (),
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.transient = transient
        self.tried = list(tried)
        self.candidates = list(candidates)


DISK_FULL = JobFailed(
    ErrorCode.DISK_FULL, "The disk is full. Make room; it is tried again by itself.", transient=True
)


def is_disk_full(exc: BaseException) -> bool:
    return isinstance(exc, OSError) and exc.errno in (errno.ENOSPC, errno.EDQUOT)


class Dropped(Exception):
    pass


class Cancelled(Dropped):
    pass


class GivenUp(Dropped):
    pass


class GatewayAway(Exception):
    pass
