"""The port that every source of audio stands behind.

A source makes offers for a request; an offer fetches one file into a folder of its own and verifies
nothing. A source that has nothing for the request offers nothing; one that ought to have but cannot,
says why with JobFailed.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dj_contracts.downloads import SourceName, WantedTrack
from dj_contracts.jobs import DownloadPayload
from download_worker.attempt import Attempt


@dataclass(frozen=True)
class Request:
    payload: DownloadPayload
    wanted: WantedTrack
    username: str

    @property
    def links(self) -> list[str]:
        """What a person named comes first. Without an order of sources it is all that is tried."""
        named = [self.payload.url] if self.payload.url else []
        known = self.wanted.links if self.payload.sources else []
        return list(dict.fromkeys([*named, *known]))


@dataclass(frozen=True)
class Place:
    """Where an offer may write, and the lock that its processes hold for as long as they live."""

    path: Path
    lock_fd: int
    ffmpeg: str


@dataclass(frozen=True)
class Offer:
    """``origin`` is the link or the file's name; ``is_find`` says that a search found it, unasked."""

    origin: str
    fetch: Callable[[Place, Attempt], Path]
    is_find: bool = False


class Source(Protocol):
    name: SourceName

    def offers(self, request: Request, place: Place, attempt: Attempt) -> Iterable[Offer]: ...
