"""What every filter comes to: typed terms, which each search engine translates into its own language.

A filter is a conjunction of clauses, and a clause holds when one of its terms does. Nothing of what
a person typed reaches an engine as anything but a value.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Attribute(StrEnum):
    """What tracks can be filtered by, under the name that it has in the search index."""

    OWNER = "owner"
    TRACK = "track"
    BPM = "bpm"
    KEY = "key"
    RATING = "star_rating"
    YEAR = "year"
    ENERGY = "energy"
    DANCEABILITY = "danceability"
    MOOD_HAPPY = "mood_happy"
    MOOD_SAD = "mood_sad"
    MOOD_RELAXED = "mood_relaxed"
    MOOD_AGGRESSIVE = "mood_aggressive"
    GENRE = "genre_words"  # genres and styles: few people keep the two apart
    STYLE = "style_words"
    TAG = "tag_words"
    ARTIST = "artist_words"
    ALBUM = "album_words"
    SHELF = "shelf_words"
    RELEASE = "release_words"
    PLAYLIST = "playlists"
    AUDIO = "has_audio"
    ANALYZED = "is_analyzed"
    ADDED = "added_at"  # seconds since 1970, as Meilisearch compares numbers only
    PLAYED = "played_at"  # when last; in the same seconds
    SESSION = "sessions"  # those in which it was played


@dataclass(frozen=True)
class Between:
    """From ``low`` to ``high``, both included; None leaves that end open."""

    attribute: Attribute
    low: float | None
    high: float | None


@dataclass(frozen=True)
class OneOf:
    """The attribute, or one of its values where it has many, is one of these."""

    attribute: Attribute
    values: tuple[str | int, ...]


@dataclass(frozen=True)
class Is:
    attribute: Attribute
    yes: bool


@dataclass(frozen=True)
class Known:
    """The attribute has a value."""

    attribute: Attribute


@dataclass(frozen=True)
class Not:
    """The term does not hold; so it does for a track that lacks the attribute."""

    term: "Between | OneOf | Is | Known"


Term = Between | OneOf | Is | Known | Not
Clause = tuple[Term, ...]
Filter = tuple[Clause, ...]

# Texts that are compared as dj_fold() leaves them: without case, accents or punctuation.
FOLDED = frozenset(
    {
        Attribute.GENRE,
        Attribute.STYLE,
        Attribute.TAG,
        Attribute.ARTIST,
        Attribute.ALBUM,
        Attribute.SHELF,
        Attribute.RELEASE,
    }
)


def names_owner(clauses: Iterable[Clause]) -> bool:
    """Whether some clause says whose tracks are meant, and nothing else."""
    return any(
        all(isinstance(term, OneOf) and term.attribute is Attribute.OWNER for term in clause)
        for clause in clauses
    )
