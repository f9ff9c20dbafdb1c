"""Looking for a track that has no link: only a sure match is fetched, the rest waits for a person."""

import urllib.parse
from collections.abc import Iterable

from dj_contracts.downloads import SourceName, WantedTrack
from dj_contracts.errors import ErrorCode
from dj_servicekit.logs import log
from download_worker.attempt import Attempt
from download_worker.errors import JobFailed
from download_worker.settings import Settings
from download_worker.sources.matching import rank
from download_worker.sources.port import Offer, Place, Request
from download_worker.sources.ytdlp import YtDlp

_MOST_FETCHED = 3


class Search:
    name = SourceName.SEARCH

    def __init__(self, settings: Settings, downloader: YtDlp) -> None:
        self._settings = settings
        self._downloader = downloader

    def offers(self, request: Request, place: Place, attempt: Attempt) -> Iterable[Offer]:
        """The sure finds; after them, as a failure, those that a person has to judge."""
        wanted = request.wanted
        if not wanted.title or not wanted.artist:
            raise JobFailed(
                ErrorCode.NO_MATCH, "A track without title and artist cannot be looked for. Give a link."
            )
        finds = self._downloader.find(searches(self._settings.search_links, wanted), place, attempt)
        ranked = rank(wanted, finds)
        sure = [one for one in ranked if one.sure]
        log.info("search_done", found=len(finds), sure=len(sure), doubtful=len(ranked) - len(sure))
        for one in sure[:_MOST_FETCHED]:
            yield self._downloader.offer(one.candidate.url, is_find=True)
        doubtful = [one.candidate for one in ranked if not one.sure]
        if doubtful:
            raise JobFailed(
                ErrorCode.NEEDS_REVIEW,
                f"No find is surely this track. {len(doubtful)} wait in the review list: accept one there,"
                " or give a link.",
                candidates=doubtful,
            )
        raise JobFailed(ErrorCode.NO_MATCH, "Nothing like this track was found. Give a link, or upload it.")


def searches(templates: Iterable[str], wanted: WantedTrack) -> list[str]:
    """Each template with the words to look for; in a web address they are quoted."""
    words = " ".join(f"{wanted.artist} {wanted.title}".split())[:200]
    return [
        template.replace("{query}", urllib.parse.quote_plus(words) if "://" in template else words)
        for template in templates
    ]
