"""A track as the gateway's REST API shows and takes it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from dj_contracts.keys import Key


def _storable(text: str) -> str:
    # Postgres cannot store U+0000, and a lone surrogate cannot be encoded at all.
    cleaned = text.replace("\x00", "").encode("utf-8", "ignore").decode()
    return cleaned.strip()


Text = Annotated[str, AfterValidator(_storable)]
ShortText = Annotated[Text, Field(max_length=300)]
TrackID = Annotated[str, Field(pattern=r"^[A-Za-z0-9._~:-]{1,200}$")]
Username = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
URL = Annotated[str, Field(max_length=2000, pattern=r"^https?://[^\s]+$")]


def _each_once(tags: list[str]) -> list[str]:
    """Without blank ones, and each as it was written first."""
    once: dict[str, str] = {}
    for tag in filter(None, tags):
        once.setdefault(tag.casefold(), tag)
    return list(once.values())


TagList = Annotated[list[ShortText], Field(max_length=50), AfterValidator(_each_once)]


class TrackFields(BaseModel):
    """What a person may set on a track. Each is optional, so this is also the shape of a patch."""

    model_config = ConfigDict(
        extra="forbid",
        allow_inf_nan=False,
        json_schema_extra={"examples": [{"title": "Strings of Life", "bpm": 123.6, "key": "8A"}]},
    )

    title: Annotated[Text, Field(max_length=1000)] | None = None
    artist: Annotated[Text, Field(max_length=1000)] | None = None
    album: Annotated[Text, Field(max_length=1000)] | None = None
    year: int | None = Field(default=None, ge=1, le=9999)
    genres: TagList | None = None
    styles: TagList | None = None
    local_tags: TagList | None = None
    position: ShortText | None = None
    duration_seconds: float | None = Field(default=None, ge=0, le=10_000_000)
    bpm: float | None = Field(default=None, gt=0, le=1000)
    key: str | None = Field(default=None, description='Any usual spelling; stored as "A minor".')
    energy: float | None = Field(default=None, ge=1, le=10)
    danceability: float | None = Field(default=None, ge=0, le=1)
    mood_happy: float | None = Field(default=None, ge=0, le=1)
    mood_sad: float | None = Field(default=None, ge=0, le=1)
    mood_relaxed: float | None = Field(default=None, ge=0, le=1)
    mood_aggressive: float | None = Field(default=None, ge=0, le=1)
    notes: Annotated[Text, Field(max_length=20_000)] | None = None
    star_rating: int | None = Field(default=None, ge=0, le=5)
    discogs_url: URL | None = None
    apple_music_url: URL | None = None
    spotify_url: URL | None = None
    youtube_url: URL | None = None
    soundcloud_url: URL | None = None
    album_thumbnail: URL | None = None
    release_id: ShortText | None = None
    library_identifier: ShortText | None = None

    @field_validator("key")
    @classmethod
    def _canonical_key(cls, value: str | None) -> str | None:
        return Key.parse(value).name if value else None


class NewTrack(TrackFields):
    """A track to create; without an id, one is made."""

    track_id: TrackID | None = None
    title: Annotated[Text, Field(min_length=1, max_length=1000)]


class Track(BaseModel):
    """A track as it is answered. Values a person set win over measured ones."""

    track_id: str
    username: str
    title: str
    artist: str
    album: str
    year: int | None
    genres: list[str]
    styles: list[str]
    local_tags: list[str]
    position: str | None
    duration: str | None = Field(description="duration_seconds as m:ss, for people.")
    duration_seconds: float | None
    bpm: float | None
    key: str | None
    camelot: str | None
    energy: float | None
    danceability: float | None
    mood_happy: float | None
    mood_sad: float | None
    mood_relaxed: float | None
    mood_aggressive: float | None
    notes: str | None
    star_rating: int | None
    discogs_url: str | None
    apple_music_url: str | None
    spotify_url: str | None
    youtube_url: str | None
    soundcloud_url: str | None
    album_thumbnail: str | None
    release_id: str | None
    library_identifier: str | None
    local_audio_url: str | None = Field(description="What /api/audio?filename= takes.")
    has_audio: bool
    analyzed_at: datetime | None
    corrected: list[str] = Field(description="Measured fields that a person has set by hand.")
    created_at: datetime
    updated_at: datetime


class Highlighted(BaseModel):
    """Texts of a hit as safe HTML, with what matched in <em>."""

    title: str
    artist: str
    album: str


class SearchHit(Track):
    """A track that was found. ``_formatted`` is there when highlights were asked for."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    formatted: Highlighted | None = Field(default=None, alias="_formatted")


class SearchHits(BaseModel):
    """The answer to a search, in Meilisearch's shape, and which engine gave it."""

    hits: list[SearchHit]
    query: str
    offset: int
    limit: int
    estimatedTotalHits: int  # noqa: N815 - Meilisearch's name
    processingTimeMs: int  # noqa: N815 - Meilisearch's name
    facetDistribution: dict[str, dict[str, int]] = Field(  # noqa: N815 - Meilisearch's name
        default={}, description="Of each facet that was asked for: its values, and how many hits have them."
    )
    engine: Literal["postgres", "meilisearch"] = "postgres"
    notice: str | None = Field(
        default=None, description="Why the answer comes from another engine than usual, in a sentence."
    )
