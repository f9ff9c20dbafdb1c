"""An album as the API takes and shows it. Every release that a track names has one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from dj_contracts.tracks import URL, ShortText, Text, Track

_LongText = Annotated[Text, Field(max_length=1000)]


class AlbumFields(BaseModel):
    """What a person or an import may set; what is left out stays as it is."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"title": "Strings of Life", "label": "Transmat", "year": 1987}]},
    )

    title: _LongText = ""
    artist: _LongText = ""
    label: ShortText = ""
    catalog_number: ShortText = ""
    format: ShortText = ""
    country: ShortText = ""
    year: int | None = Field(default=None, ge=1, le=9999)
    thumbnail: URL | None = None
    discogs_url: URL | None = None
    library_identifier: ShortText | None = None
    notes: Annotated[Text, Field(max_length=20_000)] | None = None


@dataclass(frozen=True)
class AlbumRow:
    username: str
    release_id: str
    title: str
    artist: str
    label: str
    catalog_number: str
    format: str
    country: str
    year: int | None
    thumbnail: str | None
    discogs_url: str | None
    library_identifier: str | None
    notes: str | None
    created_at: datetime
    updated_at: datetime
    track_count: int


class Album(BaseModel):
    release_id: str
    username: str
    title: str
    artist: str
    label: str
    catalog_number: str
    format: str
    country: str
    year: int | None
    thumbnail: str | None
    discogs_url: str | None
    library_identifier: str | None = Field(description="The shelf label, as LP001.")
    notes: str | None
    track_count: int
    created_at: datetime
    updated_at: datetime


class Albums(BaseModel):
    """A page of albums, by title."""

    albums: list[Album]
    offset: int
    limit: int
    total: int


class AlbumWithTracks(Album):
    """With its tracks in the order of their positions."""

    tracks: list[Track]
