"""A track as the database holds it, and how it becomes the track of the API."""

from datetime import datetime
from typing import Annotated, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from dj_contracts.keys import Key
from dj_contracts.tracks import TagList, Track, TrackFields, TrackID

# What analysis measures and a person may correct: a correction wins over every analysis to come.
MEASURED = (
    "bpm",
    "key",
    "energy",
    "danceability",
    "mood_happy",
    "mood_sad",
    "mood_relaxed",
    "mood_aggressive",
)


class TrackRow(NamedTuple):
    """A tuple and no dataclass: of these a listing makes fifty, and a frozen dataclass takes six times as
    long to make."""

    username: str
    track_id: str
    title: str
    artist: str
    album: str
    year: int | None
    genres: list[str]
    styles: list[str]
    local_tags: list[str]
    position: str | None
    duration_seconds: float | None
    bpm: float | None
    key: str | None
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
    audio_path: str | None
    analyzed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    corrected: list[str]

    def to_track(self) -> Track:
        fields = self._asdict()
        audio_path = fields.pop("audio_path")
        return Track(
            **fields,
            duration=clock(self.duration_seconds),
            camelot=Key.parse(self.key).camelot if self.key else None,
            local_audio_url=audio_path,
            has_audio=audio_path is not None,
        )


class ShownTrack(NamedTuple):
    """A track as JSON."""

    updated_at: datetime
    json: str


class ListedTrack(NamedTuple):
    """A track of a listing as JSON, and its place in it."""

    place: str
    track_id: str
    username: str
    json: str


class TrackPage(BaseModel):
    """One page of a listing; ``next`` is the ``after`` of the page that follows, or null."""

    tracks: list[Track]
    next: str | None


class BulkEdit(BaseModel):
    """One edit of many tracks. ``set`` is as in the patch of a single track."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"track_ids": ["12345-A1", "12345-B2"], "set": {"star_rating": 4}, "add_tags": ["warm-up"]}
            ]
        },
    )

    track_ids: Annotated[list[TrackID], Field(min_length=1, max_length=500)]
    set: TrackFields = TrackFields()
    add_tags: TagList = []
    remove_tags: TagList = []
    read_at: dict[TrackID, AwareDatetime] = Field(
        default={},
        max_length=500,
        description="The updated_at of tracks as they were read. When one has changed since, nothing is "
        "written: 412.",
    )


class BulkEdited(BaseModel):
    """The tracks as they are now, in the order in which they were named."""

    tracks: list[Track]


def clock(seconds: float | None) -> str | None:
    """Seconds as people write them: 3:05, 1:02:03."""
    if seconds is None:
        return None
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
