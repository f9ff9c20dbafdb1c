"""Groups of tracks that are one recording, and the merges that made them one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from dj_contracts.tracks import Track, TrackID


class DuplicateGroup(BaseModel):
    """Tracks that are one recording, the one to keep first: with audio, corrected, rated, older."""

    recording: str
    reason: str
    tracks: list[Track]


class DuplicateGroups(BaseModel):
    """``next`` is the ``after`` of the page that follows, or null."""

    groups: list[DuplicateGroup]
    next: str | None


class MergeRequest(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"keep": "12345-A1", "drop": ["file-1"]}]}
    )

    keep: TrackID
    drop: Annotated[list[TrackID], Field(min_length=1, max_length=50)]


class Merge(BaseModel):
    """A merge, and the kept track as it is now."""

    id: int
    kept: str
    dropped: list[str]
    merged_at: datetime
    undone_at: datetime | None
    track: Track | None = Field(description="The kept track; null when it is in the trash.")


@dataclass(frozen=True)
class MergeRow:
    id: int
    username: str
    kept: str
    dropped: list[str]
    undo: dict[str, Any]
    merged_at: datetime
    undone_at: datetime | None
