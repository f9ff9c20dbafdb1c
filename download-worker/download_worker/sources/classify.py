"""What yt-dlp's errors mean: an error code, a sentence for a DJ, and whether to try again."""

import re
from collections.abc import Iterator

from yt_dlp.networking.exceptions import CertificateVerifyError, HTTPError, TransportError
from yt_dlp.utils import (
    ContentTooShortError,
    DownloadError,
    ExtractorError,
    GeoRestrictedError,
    UnsupportedError,
)

from dj_contracts.errors import ErrorCode
from download_worker.errors import DISK_FULL, JobFailed, is_disk_full

_GONE = JobFailed(
    ErrorCode.SOURCE_GONE,
    "Nothing is at this link any more. Look for the track elsewhere and give a new link.",
)
_LOGIN = JobFailed(
    ErrorCode.COOKIES_EXPIRED,
    "The source wants a login for this. Export fresh cookies of it into COOKIES_DIR, or use another link.",
)
_FORBIDDEN = JobFailed(
    ErrorCode.SOURCE_FORBIDDEN, "The source refuses to hand this out. Use another link, or upload the file."
)
_GEO = JobFailed(ErrorCode.GEO_BLOCKED, "The source does not offer this in your country. Use another link.")
_DRM = JobFailed(
    ErrorCode.DRM_PROTECTED, "This is protected against copying. Use another link, or upload the file."
)
_PRIVATE = JobFailed(
    ErrorCode.SOURCE_PRIVATE,
    "This is private. Ask its owner to share it, or use another link.",
)
_AGE = JobFailed(
    ErrorCode.AGE_RESTRICTED,
    "The source shows this to adults only. Export the cookies of a grown-up's account into COOKIES_DIR,"
    " or use another link.",
)
_NO_AUDIO = JobFailed(
    ErrorCode.SOURCE_UNSUPPORTED,
    "No audio was found at this link. Give the link of one track, or of the file itself.",
)
_SLOW_DOWN = JobFailed(
    ErrorCode.RATE_LIMITED,
    "The source says that there were too many requests. It is tried again later by itself.",
    transient=True,
)
_AWAY = JobFailed(
    ErrorCode.SOURCE_UNAVAILABLE,
    "The source does not answer, or broke off. It is tried again by itself.",
    transient=True,
)
_CERTIFICATE = JobFailed(
    ErrorCode.SOURCE_UNAVAILABLE,
    "The source cannot prove that it is what it says (its certificate is not valid). Use another link.",
)
_LOOP = JobFailed(ErrorCode.SOURCE_UNSUPPORTED, "The link redirects in a circle. Give another link.")
_EMPTY = JobFailed(ErrorCode.FILE_EMPTY, "The source sent an empty file. Use another link.")

_OF_STATUS = {
    402: _FORBIDDEN,
    403: _FORBIDDEN,
    404: _GONE,
    408: _AWAY,
    410: _GONE,
    425: _AWAY,
    429: _SLOW_DOWN,
    451: _GEO,
}
# Extractors say these in words only. The first that fits counts.
_OF_WORDS = (
    (re.compile(r"data blocks|file is empty", re.IGNORECASE), _EMPTY),
    (re.compile(r"\bDRM\b"), _DRM),
    (re.compile(r"age.restricted|confirm your age|inappropriate for some", re.I), _AGE),
    (re.compile(r"private (video|track|playlist)|(video|track) is private", re.I), _PRIVATE),
    (re.compile(r"too many requests|rate.?limit", re.I), _SLOW_DOWN),
    (re.compile(r"sign in|log ?in|cookies|registered users", re.I), _LOGIN),
    (re.compile(r"(in|from) your (country|location)|geo.?restrict", re.I), _GEO),
    (re.compile(r"members.only|purchase|rental", re.I), _FORBIDDEN),
    (re.compile(r"unavailable|removed|terminated|deleted|not exist|no longer", re.I), _GONE),
)


def classify(exc: BaseException, login: JobFailed = _LOGIN) -> JobFailed:
    """The most telling error in the chain decides: yt-dlp wraps causes up to four deep.

    ``login`` is what to answer where a login is wanted; who asks knows which cookies there were."""
    failure = _classify(exc)
    return login if failure is _LOGIN else failure


def _classify(exc: BaseException) -> JobFailed:
    chain = list(_chain(exc))
    for error in chain:
        if isinstance(error, HTTPError):
            return _of_http(error)
        if is_disk_full(error):
            return DISK_FULL
        if isinstance(error, GeoRestrictedError):
            return _GEO
        if isinstance(error, UnsupportedError):
            return _NO_AUDIO
        if isinstance(error, CertificateVerifyError):
            return _CERTIFICATE
    if any(isinstance(error, TransportError | ContentTooShortError | TimeoutError) for error in chain):
        return _AWAY
    words = " ".join(str(error) for error in chain)
    for pattern, failure in _OF_WORDS:
        if pattern.search(words):
            return failure
    if any(isinstance(error, ExtractorError) for error in chain):
        return _NO_AUDIO
    if any(isinstance(error, DownloadError | OSError) for error in chain):
        return _AWAY
    return JobFailed(
        ErrorCode.SOURCE_UNSUPPORTED,
        "The downloader cannot handle this link. A newer version of yt-dlp may; until then use another link.",
    )


def _of_http(error: HTTPError) -> JobFailed:
    if error.redirect_loop:
        return _LOOP
    status = int(error.status)
    if status == 401:
        return _LOGIN
    if status >= 500:
        return _AWAY
    return _OF_STATUS.get(status, _NO_AUDIO)


def _chain(exc: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[object] = [exc]
    while waiting:
        error = waiting.pop(0)
        if not isinstance(error, BaseException) or id(error) in seen:
            continue
        seen.add(id(error))
        yield error
        exc_info = getattr(error, "exc_info", None)
        if isinstance(exc_info, tuple) and len(exc_info) > 1:
            waiting.append(exc_info[1])
        waiting += [getattr(error, "cause", None), error.__cause__, error.__context__]
