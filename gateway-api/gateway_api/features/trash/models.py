"""What is in the trash, and which tracks are to be put there or brought back."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from dj_contracts.tracks import Track, TrackID


class SomeTracks(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"track_ids": ["12345-A1"]}]})

    track_ids: Annotated[list[TrackID], Field(min_length=1, max_length=500)]


class TrashedTrack(BaseModel):
    track: Track
    deleted_at: datetime


class Trash(BaseModel):
    """A page of the trash, the latest first."""

    tracks: list[TrashedTrack]
    offset: int
    limit: int
    total: int


class PutAway(BaseModel):
    """Which of the tracks are in the trash now; naming one twice, or again, changes nothing."""

    track_ids: list[str]


class Restored(BaseModel):
    """The tracks as they are again: with their playlists, corrections, analyses and plays."""

    tracks: list[Track]


class Deleted(BaseModel):
    deleted: int
