"""The process that fetches and searches: yt-dlp behind the connect guard, and nothing else of ours.

One JSON order on stdin, JSON lines on stdout. It ends with everything it started as soon as
stdin closes, which happens however its work horse ends.
"""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, NoReturn

import yt_dlp
from pydantic import BaseModel
from yt_dlp.utils import DownloadCancelled, unsmuggle_url

from dj_contracts.errors import ErrorCode
from download_worker.errors import JobFailed
from download_worker.guard import ConnectGuard, URLForbidden, check_url, resolve_allowed
from download_worker.sources.classify import classify

_SECONDS_BETWEEN_REPORTS = 0.25


class Order(BaseModel):
    """A link to fetch, or links of searches to read the results of."""

    url: str = ""
    searches: list[str] = []
    results: int = 8
    folder: str
    ffmpeg: str
    cookies: str | None = None
    cookies_advice: str = ""
    allow_private_hosts: str
    max_bytes: int
    max_bytes_per_second: int | None = None
    format: str = "bestaudio/best"


class TooBig(DownloadCancelled):  # type: ignore[misc]  # yt-dlp has no types
    pass


class _Silent:
    """yt-dlp's words are for a terminal; what matters arrives as an error or as progress."""

    def debug(self, message: str) -> None: ...

    def info(self, message: str) -> None: ...

    def warning(self, message: str) -> None:
        sys.stderr.write(f"{message}\n")

    def error(self, message: str) -> None:
        sys.stderr.write(f"{message}\n")


class _Progress:
    def __init__(self, max_bytes: int, say: Any) -> None:
        self._max_bytes = max_bytes
        self._say = say
        self._said_at = 0.0

    def __call__(self, status: dict[str, Any]) -> None:
        done = status.get("downloaded_bytes") or 0
        total = status.get("total_bytes") or status.get("total_bytes_estimate")
        if max(done, status.get("total_bytes") or 0) > self._max_bytes:
            raise TooBig
        now = time.monotonic()
        if now - self._said_at >= _SECONDS_BETWEEN_REPORTS:
            self._said_at = now
            self._say(event="progress", bytes=done, total=total, speed=status.get("speed"))


def main() -> int:
    # Programs that yt-dlp starts may write to stdout, which carries our protocol.
    lines = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)

    def say(**message: Any) -> None:
        lines.write(json.dumps(message) + "\n")

    order = Order.model_validate_json(sys.stdin.readline())
    threading.Thread(target=_die_with_parent, daemon=True).start()
    guard = ConnectGuard(resolve_allowed(order.allow_private_hosts))
    guard.install()
    try:
        if order.searches:
            say(event="found", finds=_search(order))
        else:
            say(event="done", path=str(_fetch(order, _Progress(order.max_bytes, say))))
    except TooBig:
        limit = f"{order.max_bytes / 1e6:.0f} MB"
        _say_failed(
            say,
            JobFailed(ErrorCode.TOO_LARGE, f"This is larger than the limit of {limit}. Use another link."),
        )
    except JobFailed as exc:
        _say_failed(say, exc)
    except Exception as exc:  # noqa: BLE001 - yt-dlp raises anything; every kind is classified and reported
        sys.stderr.write(f"{exc!r}\n")
        _say_failed(say, _why(exc, guard, order))
    return 0


def _options(order: Order) -> dict[str, Any]:
    return {
        "cachedir": False,
        "proxy": "",
        "retries": 2,
        "extractor_retries": 1,
        "socket_timeout": 20,
        "ratelimit": order.max_bytes_per_second,
        "ffmpeg_location": order.ffmpeg,
        "cookiefile": order.cookies,
        # What YouTube's pages compute is run by the first of these that is installed.
        "js_runtimes": {"deno": {}, "quickjs": {}},
        "logger": _Silent(),
        "quiet": True,
        "noprogress": True,
    }


def _search(order: Order) -> list[dict[str, Any]]:
    """What the result pages say, without opening the results. One search of several may fail."""
    options = _options(order) | {"extract_flat": "in_playlist", "playlist_items": f"1:{order.results}"}
    finds: list[dict[str, Any]] = []
    failure: Exception | None = None
    for search in order.searches:
        try:
            with yt_dlp.YoutubeDL(options) as downloader:
                info = downloader.extract_info(search, download=False)
        except yt_dlp.utils.YoutubeDLError as exc:
            sys.stderr.write(f"{exc!r}\n")
            failure = exc
            continue
        finds += [find for entry in info.get("entries") or [] if entry and (find := read_find(entry))]
    if failure and not finds:
        raise failure
    return finds


def read_find(entry: dict[str, Any]) -> dict[str, Any] | None:
    """The few fields of a result that matching reads, or None for what is no link to a title."""
    url = unsmuggle_url(str(entry.get("url") or entry.get("webpage_url") or ""))[0]
    try:
        check_url(url)
    except URLForbidden:
        return None
    uploader = next(
        (entry[name] for name in ("artist", "uploader", "channel") if isinstance(entry.get(name), str)), ""
    )
    duration = entry.get("duration")
    return {
        "url": url,
        "title": str(entry.get("title") or "")[:1000],
        "uploader": uploader[:1000],
        "duration_seconds": float(duration) if isinstance(duration, int | float) and duration >= 0 else None,
    }


def _fetch(order: Order, progress: _Progress) -> Path:
    options = _options(order) | {
        "format": order.format,
        "outtmpl": {"default": "audio.%(ext)s"},
        "paths": {"home": order.folder},
        "noplaylist": True,
        "playlist_items": "1:2",
        "external_downloader": {"default": "native"},
        "hls_prefer_native": True,
        "skip_unavailable_fragments": False,
        "fragment_retries": 2,
        # A buffer that grows would hold back the progress of a slow source.
        "buffersize": 65536,
        "noresizebuffer": True,
        "updatetime": False,
        "progress_hooks": [progress],
    }
    with yt_dlp.YoutubeDL(options) as downloader:
        info = downloader.extract_info(order.url, download=False)
        if info.get("_type") == "playlist":
            entries = [entry for entry in info.get("entries") or [] if entry]
            if len(entries) != 1:
                raise JobFailed(
                    ErrorCode.SOURCE_UNSUPPORTED,
                    "This link leads to several tracks or to none. Give the link of the one track.",
                )
            info = entries[0]
        done = downloader.process_ie_result(info, download=True)
    found = (done.get("requested_downloads") or [{}])[0].get("filepath")
    if not found or not Path(found).is_file():
        raise JobFailed(
            ErrorCode.SOURCE_UNSUPPORTED, "Nothing was downloaded from this link. Use another link."
        )
    return Path(found)


def _why(exc: Exception, guard: ConnectGuard, order: Order) -> JobFailed:
    if guard.refused:
        return _private_address(guard.refused)
    if order.cookies_advice:
        return classify(exc, JobFailed(ErrorCode.COOKIES_EXPIRED, order.cookies_advice))
    return classify(exc)


def _private_address(host: str) -> JobFailed:
    return JobFailed(
        ErrorCode.SOURCE_FORBIDDEN,
        f"The link leads to {host}, which is not a public address. If it is a machine of yours,"
        " name it in ALLOW_PRIVATE_HOSTS.",
    )


def _say_failed(say: Any, failure: JobFailed) -> None:
    say(event="failed", code=failure.code, detail=failure.detail, transient=failure.transient)


def _die_with_parent() -> NoReturn:
    sys.stdin.read()
    os.killpg(0, signal.SIGKILL)
    raise SystemExit


if __name__ == "__main__":
    # A normal end would wait for the thread that reads stdin.
    code = main()
    sys.stderr.flush()
    os._exit(code)
