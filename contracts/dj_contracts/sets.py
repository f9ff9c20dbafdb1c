"""Set building: what every answer says of itself, and the ordering of given tracks."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

TrackObject = dict[str, Any]
TrackID = str | int
Unit = Annotated[float, Field(ge=0, le=1)]


KeyLock = Annotated[
    bool,
    Field(description="False: the pitch fader shifts the next track's key too, and what is heard counts."),
]


class SetMode(StrEnum):
    GENETIC = "genetic"
    GREEDY = "greedy"
    COHESIVE_BLOCKS = "cohesive_blocks"


class SetTrack(BaseModel):
    """What set building reads of a track. Anything may be missing; other fields pass untouched."""

    model_config = ConfigDict(extra="allow")

    track_id: TrackID | None = None
    title: str | None = None
    artist: str | None = None
    bpm: float | str | None = None
    key: str | None = None
    energy: float | None = None
    danceability: float | None = None
    duration_seconds: float | None = None


class Transition(BaseModel):
    """How one track of a set leads to the next."""

    from_track_id: TrackID | None
    to_track_id: TrackID | None
    score: Unit
    tempo_change_percent: float | None = Field(
        description="What the pitch fader of the next track must do, half and double considered."
    )
    key_move: str | None = Field(description='With key lock, in words: "8A to 9A: up a fifth".')
    energy_change: float | None = Field(description="On the scale 0-1.")
    reason: str
    tempo_from: float | None = None
    tempo_to: float | None = None
    tempo_factor: float | None = Field(
        default=None, description="2 or 0.5: the next track counts double or half."
    )
    key_move_without_lock: str | None = Field(
        default=None, description="The move when the fader also shifts the next track's key."
    )
    harmonic: bool | None = Field(
        default=None, description="Same key, one step round the wheel, or relative."
    )
    parts: dict[str, Unit] = Field(default={}, description="The score of each part of the model.")


class MissingData(BaseModel):
    """A track of which something could not be judged; it counted as neutral."""

    track_id: TrackID | None
    position: int = Field(description="In the request's list, from 0.")
    problems: list[str]


class Explained(BaseModel):
    """What every answer about a set says about itself."""

    seed: int
    score: Unit = Field(description="0-1, the mean of the transitions; a set of one track scores 1.")
    parts: dict[str, Unit] = Field(default={}, description="The mean score of each part of the model.")
    transitions: list[Transition]
    missing: list[MissingData] = []
    notes: list[str] = Field(default=[], description="What a person should know about this answer.")
    generations: int = 0
    stopped_by: Literal["done", "time_budget"] = Field(
        default="done", description="With time_budget the answer depends on the machine's speed."
    )
    elapsed_ms: int = 0


class OrderRequest(BaseModel):
    """``/generate`` and ``/optimize``: both paths accept both names of the list."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "tracks": [
                    {"track_id": "a", "bpm": 124, "key": "A minor", "energy": 5},
                    {"track_id": "b", "bpm": 126, "key": "9A", "energy": 7},
                    {"track_id": "c", "bpm": 125, "key": "Am", "energy": 6},
                ],
                "mode": "genetic",
                "seed": 1,
            }
        }
    )

    tracks: Annotated[list[TrackObject], Field(validation_alias=AliasChoices("tracks", "playlist"))]
    mode: SetMode = SetMode.GENETIC
    seed: int = Field(default=0, ge=-(2**63), lt=2**63)
    key_lock: KeyLock = True
    time_budget_seconds: float | None = Field(default=None, gt=0, le=120, allow_inf_nan=False)


class OrderResult(Explained):
    """The same track objects, reordered, and why."""

    result: list[TrackObject]
    mode: SetMode
    input_score: Unit
    greedy_score: Unit
