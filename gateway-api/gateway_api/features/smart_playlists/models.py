"""Smart playlists as the API takes and shows them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from dj_contracts.tracks import Track
from gateway_api.features.playlists.models import PlaylistName
from gateway_api.features.tracks.filters import TrackFilter


class Order(StrEnum):
    ADDED = "added"
    TITLE = "title"
    ARTIST = "artist"
    BPM = "bpm"
    KEY = "key"
    ENERGY = "energy"
    YEAR = "year"
    RATING = "rating"
    LAST_PLAYED = "last_played"
    RANDOM_TODAY = "random_today"


class NewSmartPlaylist(BaseModel):
    """A filter, as the listing of tracks takes it, and an order."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "Warm-up",
                    "filter": {"bpm_max": 122, "rating_min": 3},
                    "sort": "energy",
                    "most": 100,
                }
            ]
        },
    )

    name: PlaylistName
    filter: TrackFilter = TrackFilter()
    sort: Order = Order.ADDED
    descending: bool = False
    most: int | None = Field(default=None, ge=1, le=10_000, description="No more tracks than this.")


class SmartPlaylistPatch(BaseModel):
    """What is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"descending": True}]})

    name: PlaylistName | None = None
    filter: TrackFilter | None = None
    sort: Order | None = None
    descending: bool | None = None
    most: int | None = Field(default=None, ge=1, le=10_000, description="Null takes the limit away.")


@dataclass(frozen=True)
class SmartPlaylistRow:
    id: int
    username: str
    name: str
    filter: dict[str, Any]
    sort: str
    descending: bool
    most: int | None
    created_at: datetime
    updated_at: datetime


class SmartPlaylist(BaseModel):
    id: int
    username: str
    name: str
    filter: TrackFilter
    sort: Order
    descending: bool
    most: int | None
    created_at: datetime
    updated_at: datetime


class SmartPlaylistTracks(BaseModel):
    """A page of what the filter finds now."""

    tracks: list[Track]
    offset: int
    limit: int
    total: int
