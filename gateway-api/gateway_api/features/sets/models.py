"""What a set is asked for and what comes back."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from dj_contracts.errors import ErrorCode
from dj_contracts.sets import OrderResult, SetMode, Transition
from dj_contracts.tracks import Track, TrackID


class SetRequest(BaseModel):
    """Tracks of the collection to put in the best order."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"track_ids": ["12345-A1", "12345-B2"]}]}
    )

    track_ids: Annotated[list[TrackID], Field(min_length=1, max_length=500)]
    mode: SetMode = SetMode.GENETIC
    seed: int = Field(default=0, ge=0, le=2**31 - 1)


class BuiltSet(BaseModel):
    """The tracks in their order, and why: ``score`` beside what the given and a greedy order score."""

    tracks: list[Track]
    mode: SetMode
    seed: int
    score: float
    input_score: float
    greedy_score: float
    transitions: list[Transition]


class GeneticRequest(BaseModel):
    """The older request: track objects as the caller has them."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"playlist": [{"track_id": "1", "bpm": 124, "key": "Am"}]}]}
    )

    playlist: Annotated[list[dict[str, Any]], Field(max_length=500)]
    mode: SetMode = SetMode.GENETIC
    seed: int = Field(default=0, ge=0, le=2**31 - 1)


class GeneticResult(OrderResult):
    """As ga-service answers it."""


class InvalidTrack(BaseModel):
    track_id: str | None
    reason: str


class InvalidTracks(BaseModel):
    """The 400 of the older request: which of the track objects are truly unusable, and why."""

    code: ErrorCode = ErrorCode.UNUSABLE_TRACKS
    error: str
    detail: str
    request_id: str
    invalid: list[InvalidTrack]
    invalid_count: int
