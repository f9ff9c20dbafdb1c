"""Range and conditional requests, by the words of RFC 9110."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from gateway_api.features.audio.ranges import (
    NotSatisfiable,
    Verdict,
    Version,
    judge,
    parse_ranges,
    range_header,
)

SIZE = 1000
VERSION = Version('"a1"', datetime(2026, 5, 1, 12, 0, 0, 500_000, UTC))
THEN = "Fri, 01 May 2026 12:00:00 GMT"
EARLIER, LATER = "Fri, 01 May 2026 11:59:59 GMT", "Fri, 01 May 2026 12:00:01 GMT"


@pytest.mark.parametrize(
    ("header", "spans"),
    [
        (None, []),
        ("bytes=0-9", [(0, 10)]),
        ("bytes=10-", [(10, 1000)]),
        ("bytes=-500", [(500, 1000)]),
        ("bytes=-5000", [(0, 1000)]),
        ("bytes=0-999999", [(0, 1000)]),
        ("bytes=999-", [(999, 1000)]),
        ("BYTES=0-0", [(0, 1)]),
        ("bytes=0-1, 5-6 ,9-9", [(0, 2), (5, 7), (9, 10)]),
        ("bytes=,0-1,,", [(0, 2)]),
        ("bytes=500-600, 0-99", [(0, 100), (500, 601)]),
        ("bytes=0-10,5-20,21-30", [(0, 31)]),
        ("bytes=0-1,2000-", [(0, 2)]),  # one of them has bytes, so the answer is those
        # What makes no sense is passed over, and the whole file sent.
        ("bytes=5-1", []),
        ("bytes=a-b", []),
        ("bytes=-", []),
        ("bytes=", []),
        ("bytes 0-1", []),
        ("seconds=0-1", []),
        ("bytes=0-1,x", []),
        ("bytes=٣-٤", []),
        ("bytes=" + ",".join(f"{n}-{n}" for n in range(0, 200, 2)), []),
    ],
)
def test_which_spans_a_header_asks_for(header: str | None, spans: list[tuple[int, int]]) -> None:
    assert parse_ranges(header, SIZE) == spans


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=2000-3000", "bytes=-0", "bytes=1000-,-0"])
def test_a_range_without_a_byte_is_not_satisfiable(header: str) -> None:
    with pytest.raises(NotSatisfiable):
        parse_ranges(header, SIZE)


@given(st.text(max_size=60), st.integers(0, 10_000))
def test_no_header_makes_the_parser_fail_or_leave_the_file(text: str, size: int) -> None:
    for header in (text, f"bytes={text}"):
        try:
            spans = parse_ranges(header, size)
        except NotSatisfiable:
            continue
        assert all(0 <= start < stop <= size for start, stop in spans)
        assert all(first[1] < second[0] for first, second in pairwise(spans))


@pytest.mark.parametrize(
    ("headers", "verdict"),
    [
        ({}, Verdict.SEND),
        ({"if-none-match": '"a1"'}, Verdict.NOT_MODIFIED),
        ({"if-none-match": 'W/"a1"'}, Verdict.NOT_MODIFIED),
        ({"if-none-match": '"x", "a1"'}, Verdict.NOT_MODIFIED),
        ({"if-none-match": "*"}, Verdict.NOT_MODIFIED),
        ({"if-none-match": '"x"'}, Verdict.SEND),
        ({"if-none-match": '"x"', "if-modified-since": LATER}, Verdict.SEND),  # the tag says more
        ({"if-modified-since": THEN}, Verdict.NOT_MODIFIED),
        ({"if-modified-since": EARLIER}, Verdict.SEND),
        ({"if-modified-since": "yesterday"}, Verdict.SEND),
        ({"if-match": '"a1"'}, Verdict.SEND),
        ({"if-match": "*"}, Verdict.SEND),
        ({"if-match": 'W/"a1"'}, Verdict.FAILED),  # a strong comparison
        ({"if-match": '"x"'}, Verdict.FAILED),
        ({"if-unmodified-since": THEN}, Verdict.SEND),
        ({"if-unmodified-since": EARLIER}, Verdict.FAILED),
        ({"if-match": '"a1"', "if-unmodified-since": EARLIER}, Verdict.SEND),
    ],
)
def test_preconditions(headers: dict[str, str], verdict: Verdict) -> None:
    assert judge("GET", Headers(headers), VERSION) is verdict


@pytest.mark.parametrize(
    ("if_range", "counts"),
    [
        (None, True),
        ('"a1"', True),
        ('W/"a1"', False),
        ('"old"', False),
        (THEN, True),
        (EARLIER, False),
        (LATER, False),
    ],
)
def test_a_range_counts_for_the_version_that_it_names(if_range: str | None, counts: bool) -> None:
    headers = {"range": "bytes=0-1"} | ({"if-range": if_range} if if_range else {})
    assert (range_header("GET", Headers(headers), VERSION) is not None) is counts
    assert range_header("HEAD", Headers(headers), VERSION) is None
