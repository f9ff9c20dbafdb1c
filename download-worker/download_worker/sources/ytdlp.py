"""yt-dlp as a source: any link but Apple Music's, fetched by a process of its own."""

import json
import time
import urllib.parse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dj_contracts.downloads import SourceName
from dj_contracts.errors import ErrorCode
from dj_servicekit.logs import log
from download_worker.attempt import Attempt, Transfer
from download_worker.errors import JobFailed
from download_worker.guard import URLForbidden, check_url
from download_worker.settings import Settings
from download_worker.sources.child import Child
from download_worker.sources.cookies import cookie_file, copy_cookies, refused
from download_worker.sources.gamdl import is_apple_link
from download_worker.sources.matching import Find
from download_worker.sources.port import Offer, Place, Request

# Verification has the rest of the bar.
_SHARE_OF_PROGRESS = 90.0


class YtDlp:
    name = SourceName.YTDLP

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def offers(self, request: Request, place: Place, attempt: Attempt) -> Iterable[Offer]:
        for link in request.links:
            if not is_apple_link(link):
                yield self.offer(link)

    def offer(self, link: str, *, is_find: bool = False) -> Offer:
        def fetch(place: Place, attempt: Attempt) -> Path:
            return self._fetch(link, place, attempt)

        return Offer(link, fetch, is_find)

    def find(self, searches: list[str], place: Place, attempt: Attempt) -> list[Find]:
        """What the result pages of these searches list."""
        attempt.report("searching")
        order = self._order(place) | {"searches": searches, "results": self._settings.search_results}
        message = self._run(order, place, attempt, self._settings.search_timeout_seconds)
        return [Find(**find) for find in message["finds"]]

    def _fetch(self, link: str, place: Place, attempt: Attempt) -> Path:
        """The one file that yt-dlp says it made for this link, in this folder."""
        try:
            check_url(link)
        except URLForbidden as exc:
            raise JobFailed(ErrorCode.SOURCE_FORBIDDEN, f"{exc} Give another link.") from exc
        attempt.report("downloading", 0)
        cookies = cookie_file(self._settings.cookies_dir, link)
        site = (urllib.parse.urlsplit(link).hostname or "").removeprefix("www.")
        order = self._order(place) | {
            "url": link,
            "cookies": str(copy_cookies(cookies, place.path)) if cookies else None,
            "cookies_advice": refused(cookies, site, f"{site}.txt").detail,
            "format": self._settings.ytdlp_format,
        }
        message = self._run(order, place, attempt, self._settings.download_timeout_seconds)
        path = Path(message["path"])
        if path.parent != place.path:
            raise RuntimeError(f"yt-dlp wrote {path.name} outside the folder of its job.")
        return path

    def _order(self, place: Place) -> dict[str, Any]:
        return {
            "folder": str(place.path),
            "ffmpeg": place.ffmpeg,
            "allow_private_hosts": self._settings.allow_private_hosts,
            "max_bytes": self._settings.max_download_bytes,
            "max_bytes_per_second": self._settings.max_bytes_per_second,
        }

    def _run(self, order: dict[str, Any], place: Place, attempt: Attempt, limit: float) -> dict[str, Any]:
        with Child(["-m", "download_worker.sources.fetch"], place) as child:
            try:
                child.send(json.dumps(order))
                message = _follow(child, attempt, limit)
            finally:
                if said := child.errors():
                    log.info("yt_dlp_said", text=said)
        if message["event"] == "failed":
            raise JobFailed(ErrorCode(message["code"]), message["detail"], transient=message["transient"])
        return message


def _follow(child: Child, attempt: Attempt, limit_seconds: float) -> dict[str, Any]:
    give_up_at = time.monotonic() + limit_seconds
    while True:
        attempt.check()
        if time.monotonic() > give_up_at:
            raise JobFailed(
                ErrorCode.UPSTREAM_TIMEOUT,
                f"The download took longer than {limit_seconds:.0f} seconds."
                " It is tried again by itself; DOWNLOAD_TIMEOUT_SECONDS sets the limit.",
                transient=True,
            )
        line = child.read_line()
        if line is None:
            continue
        if not line:
            raise JobFailed(
                ErrorCode.SOURCE_UNAVAILABLE,
                "The downloader ended in the middle. It is tried again by itself.",
                transient=True,
            )
        message: dict[str, Any] = json.loads(line)
        if message["event"] != "progress":
            return message
        done, total = message["bytes"], message["total"]
        progress = _SHARE_OF_PROGRESS * done / total if total else None
        attempt.report("downloading", progress, Transfer(done, total, message["speed"]))
