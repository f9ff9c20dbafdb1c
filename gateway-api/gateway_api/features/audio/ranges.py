"""Range and conditional requests of RFC 9110, as pure functions over headers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from enum import Enum

from starlette.datastructures import Headers

_RANGES = re.compile(r"bytes=\s*(.*)", re.IGNORECASE | re.DOTALL)
_ONE = re.compile(r"(\d{0,19})\s*-\s*(\d{0,19})", re.ASCII)
_ETAGS = re.compile(r'\s*(?:\*|(W/)?("[\x21\x23-\x7e\x80-\xff]*"))\s*(?:,|$)')
# More parts than any player asks for; who sends more gets the whole file, as RFC 9110 14.2 suggests.
_MOST_RANGES = 32


class NotSatisfiable(Exception):
    """No asked range has a byte of the file."""


class Verdict(Enum):
    SEND = "send"
    NOT_MODIFIED = "not modified"
    FAILED = "precondition failed"


@dataclass(frozen=True)
class Version:
    """What identifies the content of a file: a strong ETag, and when it changed."""

    etag: str
    modified: datetime

    @property
    def last_modified(self) -> str:
        return format_datetime(self.modified.astimezone(UTC), usegmt=True)

    @property
    def modified_second(self) -> datetime:
        """The header has no fractions."""
        return self.modified.replace(microsecond=0)


def parse_ranges(header: str | None, size: int) -> list[tuple[int, int]]:
    """The asked (start, stop) spans in the order they were asked; empty when the whole file is to be sent,
    as it is for a header that makes no sense. Raises NotSatisfiable when no span has a byte."""
    if header is None or (match := _RANGES.fullmatch(header.strip())) is None:
        return []
    parts = [part.strip() for part in match[1].split(",")]
    parts = [part for part in parts if part]
    if not 1 <= len(parts) <= _MOST_RANGES:
        return []
    spans = []
    for part in parts:
        if (one := _ONE.fullmatch(part)) is None or part == "-":
            return []
        first, last = one[1], one[2]
        if first and last and int(last) < int(first):
            return []
        start = int(first) if first else max(0, size - int(last))
        stop = min(size, int(last) + 1) if first and last else size
        if start < stop:
            spans.append((start, stop))
    if not spans:
        raise NotSatisfiable
    return _joined(spans)


def _joined(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans that overlap or touch become one, so that no request costs more than the file has bytes."""
    found: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(stop, found[-1][1]))
        else:
            found.append((start, stop))
    return found


def judge(method: str, headers: Headers, version: Version) -> Verdict:
    """The preconditions of a request, in the order of RFC 9110 13.2.2."""
    if (if_match := headers.get("if-match")) is not None:
        if not _names(if_match, version.etag, weakly=False):
            return Verdict.FAILED
    elif (since := _date(headers.get("if-unmodified-since"))) and version.modified_second > since:
        return Verdict.FAILED
    if (if_none_match := headers.get("if-none-match")) is not None:
        if _names(if_none_match, version.etag, weakly=True):
            return Verdict.NOT_MODIFIED if method in ("GET", "HEAD") else Verdict.FAILED
    elif (
        method in ("GET", "HEAD")
        and (since := _date(headers.get("if-modified-since")))
        and version.modified_second <= since
    ):
        return Verdict.NOT_MODIFIED
    return Verdict.SEND


def range_header(method: str, headers: Headers, version: Version) -> str | None:
    """The Range header where it counts: of a GET, and only of the version that If-Range names."""
    if method != "GET":
        return None
    if_range = headers.get("if-range")
    if if_range is None or if_range.strip() in (version.etag, version.last_modified):
        return headers.get("range")
    return None


def _names(header: str, etag: str, *, weakly: bool) -> bool:
    if header.strip() == "*":
        return True
    return any(match[2] == etag and (weakly or not match[1]) for match in _ETAGS.finditer(header) if match[2])


def _date(header: str | None) -> datetime | None:
    if header is None:
        return None
    try:
        found = parsedate_to_datetime(header)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
