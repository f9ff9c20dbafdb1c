"""What yt-dlp's errors become."""

import errno
import io

import pytest
from yt_dlp.networking import Response
from yt_dlp.networking.exceptions import CertificateVerifyError, HTTPError, IncompleteRead, TransportError
from yt_dlp.utils import (
    ContentTooShortError,
    DownloadError,
    ExtractorError,
    GeoRestrictedError,
    UnsupportedError,
)

from dj_contracts.errors import ErrorCode
from download_worker.errors import JobFailed
from download_worker.sources.classify import classify


def http(status: int, *, loop: bool = False) -> HTTPError:
    return HTTPError(Response(io.BytesIO(), "http://example.org/", {}, status=status), redirect_loop=loop)


def wrapped(cause: BaseException) -> DownloadError:
    return DownloadError("ERROR: it failed", (type(cause), cause, None))


@pytest.mark.parametrize(
    ("error", "code", "transient"),
    [
        (wrapped(http(404)), "source_gone", False),
        (wrapped(http(410)), "source_gone", False),
        (wrapped(http(401)), "cookies_expired", False),
        (wrapped(http(403)), "source_forbidden", False),
        (wrapped(http(451)), "geo_blocked", False),
        (wrapped(http(429)), "rate_limited", True),
        (wrapped(http(500)), "source_unavailable", True),
        (wrapped(http(503)), "source_unavailable", True),
        (wrapped(http(302, loop=True)), "source_unsupported", False),
        (wrapped(http(418)), "source_unsupported", False),
        (wrapped(ExtractorError("Unable to download webpage", cause=http(404))), "source_gone", False),
        (wrapped(TransportError(cause=TimeoutError("timed out"))), "source_unavailable", True),
        (wrapped(TransportError("Name or service not known")), "source_unavailable", True),
        (wrapped(IncompleteRead(10, 20)), "source_unavailable", True),
        (wrapped(ContentTooShortError(10, 20)), "source_unavailable", True),
        (wrapped(CertificateVerifyError("expired")), "source_unavailable", False),
        (wrapped(UnsupportedError("http://example.org/")), "source_unsupported", False),
        (wrapped(GeoRestrictedError("not here")), "geo_blocked", False),
        (wrapped(ExtractorError("This video is DRM protected", expected=True)), "drm_protected", False),
        (
            wrapped(ExtractorError("Sign in to confirm you're not a bot", expected=True)),
            "cookies_expired",
            False,
        ),
        (wrapped(ExtractorError("Sign in to confirm your age", expected=True)), "age_restricted", False),
        (wrapped(ExtractorError("The uploader: too many requests", expected=True)), "rate_limited", True),
        (wrapped(ExtractorError("Not in your country", expected=True)), "geo_blocked", False),
        (wrapped(ExtractorError("Private video", expected=True)), "source_private", False),
        (wrapped(ExtractorError("Video unavailable", expected=True)), "source_gone", False),
        (wrapped(ExtractorError("This video has been removed", expected=True)), "source_gone", False),
        (wrapped(ExtractorError("Something new", expected=True)), "source_unsupported", False),
        (wrapped(OSError(errno.ENOSPC, "No space left on device")), "disk_full", True),
        (KeyError("filepath"), "source_unsupported", False),
    ],
)
def test_code_and_kind(error: BaseException, code: str, transient: bool) -> None:
    failure = classify(error)
    assert (failure.code, failure.transient) == (code, transient)


def test_a_chain_that_bites_its_tail_ends() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert classify(first).code == "source_unsupported"


def test_a_wanted_login_is_told_with_the_cookies_that_there_were() -> None:
    advice = JobFailed(ErrorCode.COOKIES_EXPIRED, "Export new cookies.")
    assert classify(wrapped(http(401)), advice) is advice
    assert classify(wrapped(http(404)), advice).code == "source_gone"
