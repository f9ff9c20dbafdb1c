"""The port of search: a question, its answer, and what every engine can do. Two engines stand behind
it, Postgres always and Meilisearch where there is one, and one suite of cases runs over both.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from dj_contracts.tracks import Highlighted
from gateway_api.terms import Filter

# As Meilisearch: further words of a query are passed over.
MOST_WORDS = 10
# A word of so many letters may have so many typos in it.
ONE_TYPO_FROM = 3
TWO_TYPOS_FROM = 7
MOST_FACET_VALUES = 100
HIGHLIGHTED = ("title", "artist", "album")

TrackKey = tuple[str, str]
"""(username, track_id)"""


class Sort(StrEnum):
    """What hits can be ordered by. Relevance of no words at all is: newest first."""

    RELEVANCE = "relevance"
    ADDED = "added"
    TITLE = "title"
    ARTIST = "artist"
    BPM = "bpm"
    YEAR = "year"
    RATING = "rating"
    ENERGY = "energy"


class Facet(StrEnum):
    """What the hits can be counted by."""

    GENRE = "genre"
    STYLE = "style"
    KEY = "key"
    YEAR = "year"
    RATING = "rating"
    SHELF = "shelf"
    OWNER = "owner"


@dataclass(frozen=True)
class Question:
    text: str
    filter: Filter
    sort: Sort = Sort.RELEVANCE
    descending: bool = False
    limit: int = 20
    offset: int = 0
    facets: tuple[Facet, ...] = ()
    highlight: bool = False


@dataclass(frozen=True)
class Answer:
    """The page's tracks by key, best first. Whoever asked reads the rows, from Postgres."""

    keys: list[TrackKey]
    total: int
    facets: Mapping[Facet, Mapping[str, int]] = field(default_factory=dict)
    highlights: Mapping[TrackKey, Highlighted] = field(default_factory=dict)


class EngineAway(Exception):
    """The engine did not answer, or cannot answer yet. The message says which, for people."""


class SearchEngine(Protocol):
    async def search(self, question: Question) -> Answer:
        """Raises EngineAway when there is no answer to be had."""
        ...
