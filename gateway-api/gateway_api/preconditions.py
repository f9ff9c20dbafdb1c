"""ETag and If-Match on what people edit, so that a stale tab does not write over a newer edit."""

import re
from datetime import datetime
from typing import Annotated

from fastapi import Header

from dj_contracts.errors import ErrorCode
from dj_servicekit.errors import Malformed, ServiceError

IfMatch = Annotated[
    str | None,
    Header(
        max_length=1000,
        description="The ETag of what was read. When it has changed since, nothing is written: 412.",
    ),
]
_ETAGS = re.compile(r'[\s,]*((W/)?"[^"]*"[\s,]*)+')


class PreconditionFailed(ServiceError):
    status = 412
    code = ErrorCode.PRECONDITION_FAILED


def etag_of(updated_at: datetime) -> str:
    return f'"{round(updated_at.timestamp() * 1_000_000):x}"'


def require_match(if_match: str | None, updated_at: datetime) -> None:
    """Raises PreconditionFailed when the caller has read another version. Call it under the row's lock."""
    if if_match is None or if_match.strip() == "*":
        return
    if not _ETAGS.fullmatch(if_match):
        raise Malformed(
            f"If-Match: {if_match} is no ETag. Send the ETag as it was read, with its quotes, such as "
            'If-Match: "63a2f1c09b7d4", or leave the header out to write over any version.'
        )
    if etag_of(updated_at) not in [tag.strip() for tag in if_match.split(",")]:
        raise PreconditionFailed(
            "Somebody has changed this since you read it. Read it again, and make the change on that.",
            headers={"ETag": etag_of(updated_at)},
        )
