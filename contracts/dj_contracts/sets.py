"""Set building: what ga-service is asked and what it answers."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field


class SetMode(StrEnum):
    GENETIC = "genetic"
    GREEDY = "greedy"
    COHESIVE_BLOCKS = "cohesive_blocks"


class SetTrack(BaseModel):
    """What set building reads of a track. Anything may be missing; other fields pass untouched."""

    model_config = ConfigDict(extra="allow")

    track_id: str | int | None = None
    title: str | None = None
    artist: str | None = None
    bpm: float | str | None = None
    key: str | None = None
    energy: float | None = None
    danceability: float | None = None
    duration_seconds: float | None = None


class Transition(BaseModel):
    """How one track of a set leads to the next."""

    from_track_id: str | int | None
    to_track_id: str | int | None
    score: float = Field(ge=0, le=1)
    tempo_change_percent: float | None
    key_move: str | None
    energy_change: float | None
    reason: str


class OrderRequest(BaseModel):
    """``/generate`` and ``/optimize``: both paths accept both names of the list."""

    tracks: Annotated[list[dict[str, Any]], Field(validation_alias=AliasChoices("tracks", "playlist"))]
    mode: SetMode = SetMode.GENETIC
    seed: int = 0


class OrderResult(BaseModel):
    """The same track objects, reordered, and why."""

    result: list[dict[str, Any]]
    mode: SetMode
    seed: int
    score: float
    input_score: float
    greedy_score: float
    transitions: list[Transition]
