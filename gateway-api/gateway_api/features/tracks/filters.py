"""The filter that listing and search share: what a person may ask, and the terms that it comes to."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from dj_contracts.keys import Key
from dj_contracts.tracks import ShortText, Username
from gateway_api.features.tracks.conditions import sql_conditions
from gateway_api.terms import Attribute, Between, Clause, Filter, Is, Not, OneOf, names_owner

_AGO = re.compile(r"(?P<number>\d{1,4})(?P<unit>[dwmy])")
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}


def _key_name(text: str) -> str:
    return Key.parse(text).name


def _moment(text: str) -> str:
    read_moment(text)
    return text


def _filled(texts: list[str]) -> list[str]:
    return [text for text in texts if text]


def read_moment(text: str) -> datetime:
    """A date, a time, or how long ago: '2026-01-31', '2026-01-31T20:00:00Z', '30d', '6w', '2y'."""
    if match := _AGO.fullmatch(text.strip().lower()):
        return datetime.now(UTC) - timedelta(days=int(match["number"]) * _DAYS[match["unit"]])
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise ValueError(f"{text!r} is not a moment. Write 2026-01-31, or 30d, 6w, 3m, 2y ago.") from exc


KeyName = Annotated[str, Field(max_length=40), AfterValidator(_key_name)]
Share = Annotated[float | None, Field(ge=0, le=1)]
Words = Annotated[list[ShortText], Field(max_length=20), AfterValidator(_filled)]
_RANGES = {
    "rating": Attribute.RATING,
    "year": Attribute.YEAR,
    "energy": Attribute.ENERGY,
    "danceability": Attribute.DANCEABILITY,
    "mood_happy": Attribute.MOOD_HAPPY,
    "mood_sad": Attribute.MOOD_SAD,
    "mood_relaxed": Attribute.MOOD_RELAXED,
    "mood_aggressive": Attribute.MOOD_AGGRESSIVE,
}
_LISTS = {
    "genre": Attribute.GENRE,
    "style": Attribute.STYLE,
    "tag": Attribute.TAG,
    "artist": Attribute.ARTIST,
    "album": Attribute.ALBUM,
    "shelf": Attribute.SHELF,
    "owner": Attribute.OWNER,
}


class TrackFilter(BaseModel):
    """Each left out is no filter; those given must all hold. Of a list, any one will do."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    bpm_min: float | None = Field(default=None, ge=0, le=1000, description="Lowest tempo.")
    bpm_max: float | None = Field(default=None, ge=0, le=1000, description="Highest tempo.")
    half_double: bool = Field(default=False, description="Count half and double of a track's tempo too.")
    key: list[KeyName] = Field(default=[], max_length=24, description="These keys, in any spelling.")
    key_compatible: list[KeyName] = Field(
        default=[], max_length=24, description="Keys that mix with these: same, relative, a fifth away."
    )
    rating_min: int | None = Field(default=None, ge=0, le=5, description="At least so many stars.")
    rating_max: int | None = Field(default=None, ge=0, le=5)
    year_min: int | None = Field(default=None, ge=0, le=9999)
    year_max: int | None = Field(default=None, ge=0, le=9999)
    genre: Words = Field(default=[], description="A genre or style, whole; case and accents do not count.")
    style: Words = []
    tag: Words = Field(default=[], description="A tag of local_tags.")
    artist: Words = Field(default=[], description="The whole name of the artist.")
    album: Words = Field(default=[], description="The whole name of the album.")
    energy_min: float | None = Field(default=None, ge=1, le=10)
    energy_max: float | None = Field(default=None, ge=1, le=10)
    danceability_min: Share = None
    danceability_max: Share = None
    mood_happy_min: Share = None
    mood_happy_max: Share = None
    mood_sad_min: Share = None
    mood_sad_max: Share = None
    mood_relaxed_min: Share = None
    mood_relaxed_max: Share = None
    mood_aggressive_min: Share = None
    mood_aggressive_max: Share = None
    has_audio: bool | None = Field(default=None, description="With audio, or without.")
    analyzed: bool | None = Field(default=None, description="Measured already, or not yet.")
    added_since: Annotated[str, Field(max_length=40), AfterValidator(_moment)] | None = Field(
        default=None, description="A date, a time, or how long ago: 30d, 6w, 3m, 2y."
    )
    played_since: Annotated[str, Field(max_length=40), AfterValidator(_moment)] | None = Field(
        default=None, description="Played since then: a date, a time, or how long ago."
    )
    not_played_since: Annotated[str, Field(max_length=40), AfterValidator(_moment)] | None = Field(
        default=None, description="Not played since then, or never."
    )
    not_played_in: int | None = Field(
        default=None, ge=1, le=2**63 - 1, description="Not played in this session of the history."
    )
    playlist: int | None = Field(default=None, ge=1, le=2**63 - 1, description="In this playlist.")
    shelf: Words = Field(default=[], description="The shelf label, library_identifier: LP001.")
    owner: list[Username] = Field(
        default=[], max_length=20, description="Whose collections, instead of username's."
    )

    @model_validator(mode="after")
    def _ranges_hold_something(self) -> "TrackFilter":
        for name in ("bpm", *_RANGES):
            low, high = getattr(self, f"{name}_min"), getattr(self, f"{name}_max")
            if low is not None and high is not None and low > high:
                raise ValueError(f"{name}_min is above {name}_max, so no track can match.")
        return self

    def clauses(self) -> Filter:
        """The terms that must hold, without saying whose tracks are meant unless ``owner`` does."""
        found: list[Clause] = []
        if self.bpm_min is not None or self.bpm_max is not None:
            factors = (1.0, 0.5, 2.0) if self.half_double else (1.0,)
            found.append(
                tuple(
                    Between(Attribute.BPM, _times(self.bpm_min, factor), _times(self.bpm_max, factor))
                    for factor in factors
                )
            )
        keys = dict.fromkeys(self.key)
        for name in self.key_compatible:
            keys |= dict.fromkeys(key.name for key in Key.parse(name).compatible)
        if keys:
            found.append((OneOf(Attribute.KEY, tuple(keys)),))
        for name, attribute in _RANGES.items():
            low, high = getattr(self, f"{name}_min"), getattr(self, f"{name}_max")
            if low is not None or high is not None:
                found.append((Between(attribute, low, high),))
        for name, attribute in _LISTS.items():
            if values := getattr(self, name):
                found.append((OneOf(attribute, tuple(values)),))
        if self.has_audio is not None:
            found.append((Is(Attribute.AUDIO, self.has_audio),))
        if self.analyzed is not None:
            found.append((Is(Attribute.ANALYZED, self.analyzed),))
        if self.added_since is not None:
            found.append((Between(Attribute.ADDED, read_moment(self.added_since).timestamp(), None),))
        if self.played_since is not None:
            found.append((_played_since(self.played_since),))
        if self.not_played_since is not None:
            found.append((Not(_played_since(self.not_played_since)),))
        if self.not_played_in is not None:
            found.append((Not(OneOf(Attribute.SESSION, (self.not_played_in,))),))
        if self.playlist is not None:
            found.append((OneOf(Attribute.PLAYLIST, (self.playlist,)),))
        return tuple(found)

    def conditions(self) -> tuple[list[str], dict[str, Any]]:
        """SQL conditions over ``tracks t``, and the parameters that they name."""
        return sql_conditions(self.clauses())


def owned(clauses: Filter, username: str) -> Filter:
    """The clauses, and that the tracks are this collection's unless the clauses name an owner."""
    return clauses if names_owner(clauses) else ((OneOf(Attribute.OWNER, (username,)),), *clauses)


def _played_since(moment: str) -> Between:
    return Between(Attribute.PLAYED, read_moment(moment).timestamp(), None)


def _times(bound: float | None, factor: float) -> float | None:
    return None if bound is None else bound * factor
