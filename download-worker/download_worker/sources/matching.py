"""Is what a search found the wanted track? A score for people, and whether it is sure.

A wrong file in a set is worse than none, so one doubt is enough: a version word too many or too few,
a word that belongs to neither title nor artist, an artist that is not named, a length that is unknown
or a few seconds off. Doubtful finds are for a person.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from dj_contracts.downloads import Candidate, WantedTrack
from download_worker.sources.versions import fold, read_name, words_of

_SURE_AT_LEAST = 0.9
_WORTH_A_LOOK = 0.4
_MOST_FOR_REVIEW = 10
_MOST_WORDS_TOLD = 6
_LEAST_CLOSE_SECONDS = 3.0
_MOST_CLOSE_SECONDS = 8.0
_CLOSE_SHARE = 0.015
_FAR_SHARE = 0.12
_NUMBERED_ARTIST = re.compile(r"\s*\(\d+\)\s*$")
_BETWEEN_ARTISTS = re.compile(r"\s*(?:,|;|/|&|\+|\band\b|\bvs?\b\.?|\bfeat\b\.?|\bft\b\.?|\bx\b)\s*", re.I)
_CHANNEL_WORDS = {"topic", "vevo", "official", "music", "channel"}
_NOBODY = {"", "various", "various artists", "unknown", "unknown artist", "va"}


@dataclass(frozen=True)
class Find:
    """What a search says of one of its results."""

    url: str
    title: str
    uploader: str = ""
    duration_seconds: float | None = None


@dataclass(frozen=True)
class Judged:
    candidate: Candidate
    sure: bool


def rank(wanted: WantedTrack, finds: Iterable[Find]) -> list[Judged]:
    """The best first; what a person has refused before, or what fits nothing, is not in it."""
    fresh = {find.url: find for find in finds if find.url not in wanted.rejected_urls}
    judged = [judge(wanted, find) for find in fresh.values()]
    worth = [one for one in judged if one.candidate.score >= _WORTH_A_LOOK]
    return sorted(worth, key=lambda one: -one.candidate.score)[:_MOST_FOR_REVIEW]


def judge(wanted: WantedTrack, find: Find) -> Judged:
    asked, found = read_name(wanted.title), read_name(find.title)
    reasons = [f"says {version}" for version in found.versions - asked.versions]
    reasons += [f"does not say {version}" for version in asked.versions - found.versions]
    versions_agree = not reasons

    missing = asked.words - found.words
    title = 1 - missing.total() / max(1, asked.words.total())
    if missing or not asked.words:
        reasons.append(f"title without {_told(missing)}" if missing else "the title has no words to compare")

    artist, in_title = _artist_share(wanted, find, found.words - asked.words)
    if artist < 1:
        reasons.append("another artist, or none named")
    extra = _extra_words(wanted, found.words, found.featured, asked.featured)
    if extra:
        reasons.append(f"also says {_told(extra)}")
    if not in_title and (doubtful := _doubtful_channel(wanted, find)):
        reasons.append(f"the channel says {_told(doubtful)}")

    length, length_reason = _length_share(wanted.duration_seconds, find.duration_seconds)
    if length_reason:
        reasons.append(length_reason)
    words = title / (1 + 0.12 * extra.total())
    score = (0.45 * words + 0.25 * artist + 0.3 * length) * (1 if versions_agree else 0.7)
    sure = not reasons
    score = max(score, _SURE_AT_LEAST) if sure else min(score, _SURE_AT_LEAST - 0.01)
    candidate = Candidate(
        url=find.url,
        title=find.title[:1000],
        uploader=find.uploader[:1000],
        duration_seconds=find.duration_seconds,
        score=round(score, 3),
        reasons=[reason[:300] for reason in reasons],
    )
    return Judged(candidate, sure)


def close_seconds(expected: float) -> float:
    """So much may a sure find differ in length: encoders pad, and pages round."""
    return min(_MOST_CLOSE_SECONDS, max(_LEAST_CLOSE_SECONDS, _CLOSE_SHARE * expected))


def same_name(title: str, artist: str, other_title: str, other_artist: str) -> bool:
    """Whether two tracks say that they are one recording, as on an album and on a compilation."""
    one, other = read_name(title), read_name(other_title)
    return (one.versions, one.words) == (other.versions, other.words) and bool(
        set(words_of(artist)) & set(words_of(other_artist)) or artist == other_artist
    )


def _artist_share(wanted: WantedTrack, find: Find, left_of_title: Counter[str]) -> tuple[float, bool]:
    """How much of the first artist is named, and whether the title names it (rather than the channel)."""
    name = _NUMBERED_ARTIST.sub("", wanted.artist)
    if fold(name) in _NOBODY:
        return 0.0, False
    first = words_of(next(filter(None, _BETWEEN_ARTISTS.split(name)), name)) or words_of(name)
    if not first:
        return 0.0, False
    if not first - left_of_title:
        return 1.0, True
    channel = words_of(find.uploader)
    squeezed = "".join(first)
    if not first - channel or squeezed in "".join(channel):
        return 1.0, False
    return 1 - (first - left_of_title).total() / first.total(), False


def _extra_words(
    wanted: WantedTrack, found: Counter[str], guests: frozenset[str], known_guests: frozenset[str]
) -> Counter[str]:
    """Words of the found title, guests too, that nothing known of the track explains."""
    title = read_name(wanted.title).words
    known = set(words_of(wanted.artist)) | set(words_of(wanted.album)) | known_guests | {str(wanted.year)}
    unexplained = (found - title).items()
    extra = {word: count for word, count in unexplained if word not in known}
    return Counter(extra) + Counter(word for word in guests if word not in known and word not in title)


def _doubtful_channel(wanted: WantedTrack, find: Find) -> Counter[str]:
    """What a channel says beside the artist's name, when it is the only one to name the artist."""
    artist = words_of(wanted.artist)
    squeezed = "".join(artist)
    own = _CHANNEL_WORDS | {squeezed, f"{squeezed}vevo", f"{squeezed}official"}
    left = words_of(find.uploader) - artist
    return Counter({word: count for word, count in left.items() if word not in own})


def _length_share(expected: float | None, found: float | None) -> tuple[float, str | None]:
    if expected is None:
        return 0.5, "the length of the track is not known"
    if found is None:
        return 0.5, "the length of this is not known"
    off = abs(found - expected)
    if off <= close_seconds(expected):
        return 1.0, None
    share = max(0.0, 1 - off / (_FAR_SHARE * expected))
    return share, f"{off:.0f} s {'longer' if found > expected else 'shorter'}"


def _told(words: Counter[str]) -> str:
    return " ".join(list(words)[:_MOST_WORDS_TOLD])
