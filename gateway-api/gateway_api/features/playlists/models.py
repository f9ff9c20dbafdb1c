"""Playlists as the API takes and shows them."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from dj_contracts.tracks import Text, Track, TrackID

PlaylistName = Annotated[Text, Field(min_length=1, max_length=300)]
TrackIDs = Annotated[list[TrackID], Field(max_length=10_000)]


class NewPlaylist(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "Saturday, first hour", "track_ids": ["12345-A1"]}]},
    )

    name: PlaylistName
    track_ids: TrackIDs = []


class PlaylistPatch(BaseModel):
    """``track_ids`` replaces the whole order; left out, the tracks stay."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "Sunday"}]})

    name: PlaylistName | None = None
    track_ids: TrackIDs | None = None


class PlaylistEntry(BaseModel):
    track_id: str
    username: str
    position: int


class Playlist(BaseModel):
    id: int
    name: str
    created_at: datetime
    updated_at: datetime
    tracks: list[PlaylistEntry]


class PlaylistTracks(BaseModel):
    """A page of a playlist's tracks, in their order."""

    tracks: list[Track]
    offset: int
    limit: int
    total: int
