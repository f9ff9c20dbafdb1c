"""What gamdl's words mean. Its exit status does not say: it is 0 as well when nothing was downloaded."""

import re

from dj_contracts.errors import ErrorCode
from download_worker.errors import JobFailed

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_FINISHED = re.compile(r"Finished with (\d+) error")
_STATUS = r"Status code: "

_SUBSCRIPTION = JobFailed(
    ErrorCode.COOKIES_EXPIRED,
    "Apple Music says that these cookies belong to no account with an active subscription. Log in at"
    " music.apple.com with one that has it, and export the cookies again.",
)
_COOKIES = JobFailed(
    ErrorCode.COOKIES_EXPIRED,
    "Apple Music does not take the cookies: they have expired, or were exported while logged out. Export"
    " them again at music.apple.com, then try again.",
)
_NOT_STREAMED = JobFailed(
    ErrorCode.SOURCE_GONE,
    "Apple Music does not stream this song any more, or not in the country of the account."
    " Use another link, or upload the file.",
)
_DRM = JobFailed(
    ErrorCode.DRM_PROTECTED,
    "Apple Music gives no key for this song. Use another link, or upload the file.",
)
_FORMAT = JobFailed(
    ErrorCode.SOURCE_UNSUPPORTED,
    "Apple Music does not have this song as AAC. Use another link, or upload the file.",
)
_LINK = JobFailed(
    ErrorCode.SOURCE_UNSUPPORTED, "gamdl cannot do anything with this link. Give the link of one song."
)
_GONE = JobFailed(
    ErrorCode.SOURCE_GONE, "Nothing is at this Apple Music link any more. Look for the song elsewhere."
)
_SLOW_DOWN = JobFailed(
    ErrorCode.RATE_LIMITED,
    "Apple Music says that there were too many requests. It is tried again later by itself.",
    transient=True,
)
_AWAY = JobFailed(
    ErrorCode.SOURCE_UNAVAILABLE,
    "Apple Music does not answer, or broke off. It is tried again by itself.",
    transient=True,
)
_DEPENDENCY = JobFailed(
    ErrorCode.SOURCE_UNSUPPORTED, "gamdl misses a program that it needs. Its log names it; install that."
)
_VERSION = JobFailed(
    ErrorCode.SOURCE_UNSUPPORTED,
    "The gamdl that is installed does not know what it was asked for. Install the version that this"
    " release is made for (the extra 'gamdl' of download-worker).",
)
_OTHER = JobFailed(
    ErrorCode.SOURCE_UNAVAILABLE,
    "gamdl could not get this song, and the worker's log has what it said. It is tried again by itself.",
    transient=True,
)
# The first that fits counts, so what is surer stands further up.
_OF_WORDS = (
    (re.compile(r"No active Apple Music subscription"), _SUBSCRIPTION),
    (re.compile(r"media-user-token|invalid Netscape|does not exist\. Create the file"), _COOKIES),
    (re.compile(rf"{_STATUS}(401|403)"), _COOKIES),
    (re.compile(rf"{_STATUS}404"), _GONE),
    (re.compile(rf"{_STATUS}429"), _SLOW_DOWN),
    (re.compile(rf"{_STATUS}5\d\d|Connect(ion)?(Error|Timeout)|ReadTimeout|homepage|index\.js"), _AWAY),
    (re.compile(r"Media is not streamable"), _NOT_STREAMED),
    (re.compile(r"Decryption is not available"), _DRM),
    (re.compile(r"Requested format is not available"), _FORMAT),
    (re.compile(r"URL is not valid or supported|Media type is disallowed"), _LINK),
    (re.compile(r"Required dependency not found"), _DEPENDENCY),
    (re.compile(r"No such option|not a valid value|Missing (argument|option)"), _VERSION),
)


def plain(output: bytes) -> str:
    return _COLOUR.sub("", output.decode(errors="replace"))


def finished_well(said: str) -> bool:
    """It reached its end and counted no error. Skipped songs count as none, so a file is wanted besides."""
    counts = _FINISHED.findall(said)
    return bool(counts) and counts[-1] == "0"


def classify(said: str, status: int | None) -> JobFailed:
    for pattern, failure in _OF_WORDS:
        if pattern.search(said):
            return failure
    return _VERSION if status == 2 else _OTHER
