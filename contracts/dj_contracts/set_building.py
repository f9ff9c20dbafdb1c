"""Set building out of a pool: sets, paths, suggestions and judgements, as asked and as answered."""

from enum import StrEnum
from typing import Annotated

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from dj_contracts.sets import Explained, KeyLock, MissingData, TrackID, TrackObject, Transition, Unit


class CurvePreset(StrEnum):
    FLAT = "flat"
    WARM_UP = "warm_up"
    PEAK_TIME = "peak_time"
    JOURNEY = "journey"
    COOL_DOWN = "cool_down"
    WAVES = "waves"


class HarmonicRules(StrEnum):
    FREE = "free"  # keys do not count
    STANDARD = "standard"  # graded
    STRICT = "strict"  # only the same key, one step round the wheel, or the relative key


class CurvePoint(BaseModel):
    at: Unit = Field(description="How far into the set: 0 its start, 1 its end.")
    energy: Unit


class TempoGate(BaseModel):
    """The tempi allowed at a point of the set; straight lines between points."""

    at: Unit
    low: float = Field(ge=20, le=400)
    high: float = Field(ge=20, le=400)


class Slot(BaseModel):
    position: int = Field(description="From 1; -1 is the last.", ge=-1000, le=1000)
    track_id: TrackID


class PartWeights(BaseModel):
    """How much a part counts beside its usual weight: 1 is as usual, 0 not at all."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    key: float = Field(default=1, ge=0, le=10)
    tempo: float = Field(default=1, ge=0, le=10)
    energy: float = Field(default=1, ge=0, le=10)
    sound: float = Field(default=1, ge=0, le=10)
    variety: float = Field(default=1, ge=0, le=10)
    curve: float = Field(default=1, ge=0, le=10)
    genres: float = Field(default=1, ge=0, le=10)


Seed = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Budget = Annotated[float, Field(gt=0, le=120, allow_inf_nan=False)]
KeyMoveName = Annotated[str, Field(pattern=r"^(minor|major)>(minor|major)\+(1[01]|[0-9])$")]
Minutes = Annotated[float, Field(gt=0, le=1440, allow_inf_nan=False)]


class TransitionRules(BaseModel):
    """What every request may say about single transitions."""

    harmonic: HarmonicRules = HarmonicRules.STANDARD
    key_table: dict[KeyMoveName, Unit] = Field(
        default={}, description='Own scores for moves on the wheel: {"minor>minor+7": 0.9}.'
    )
    max_pitch_percent: float | None = Field(default=None, ge=0, le=100, allow_inf_nan=False)
    key_lock: KeyLock = True
    weights: PartWeights = PartWeights()
    seed: Seed = 0


class BuildRequest(TransitionRules):
    """Choose and order a set from a pool."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "pool": [
                    {"track_id": "a", "bpm": 124, "key": "Am", "energy": 4, "duration_seconds": 360},
                    {"track_id": "b", "bpm": 125, "key": "9A", "energy": 6, "duration_seconds": 380},
                    {"track_id": "c", "bpm": 126, "key": "Em", "energy": 8, "duration_seconds": 400},
                ],
                "count": 2,
                "first": "a",
                "energy_curve": "warm_up",
            }
        }
    )

    pool: Annotated[list[TrackObject], Field(validation_alias=AliasChoices("pool", "tracks", "candidates"))]
    count: int | None = Field(default=None, ge=1, le=500)
    minutes: Minutes | None = None
    overlap_seconds: float = Field(default=0, ge=0, le=600, allow_inf_nan=False)
    first: TrackID | None = None
    last: TrackID | None = None
    slots: list[Slot] = []
    include: list[TrackID] = []
    exclude: list[TrackID] = []
    max_per_artist: int | None = Field(default=None, ge=1)
    max_per_album: int | None = Field(default=None, ge=1)
    max_per_label: int | None = Field(default=None, ge=1)
    artist_gap: int = Field(default=0, ge=0, le=500, description="No artist again within so many tracks.")
    energy_curve: CurvePreset | list[CurvePoint] | None = None
    tempo_corridor: list[TempoGate] = []
    genres: dict[str, Unit] = Field(default={}, description="The wanted share of each genre or style.")
    time_budget_seconds: Budget | None = None


class Unmet(BaseModel):
    """A wish that the answer does not fulfil, and why."""

    constraint: str
    detail: str
    position: int | None = Field(default=None, description="From 1, where it concerns one place.")


class SetResult(Explained):
    """A set out of a pool: the very track objects, in order."""

    result: list[TrackObject]
    minutes: float | None = Field(description="With missing durations counted as the pool's median.")
    energy_deviation: float | None = Field(default=None, description="Mean distance from the curve, 0-1.")
    harmonic_share: float | None = Field(default=None, description="Share of known key moves that agree.")
    unmet: list[Unmet] = Field(default=[])
    input_score: Unit = Field(
        description="The first tracks of the pool, as many as in the set, as they came."
    )
    greedy_score: Unit = Field(description="As many tracks, always on to the best next one.")


class PathRequest(TransitionRules):
    """From one track to another through a pool, each hop inside the limits."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "pool": [
                    {"track_id": "a", "bpm": 120, "key": "Am"},
                    {"track_id": "b", "bpm": 124, "key": "Em"},
                    {"track_id": "c", "bpm": 128, "key": "Bm"},
                ],
                "start": "a",
                "end": "c",
                "count": 3,
            }
        }
    )

    pool: Annotated[list[TrackObject], Field(validation_alias=AliasChoices("pool", "tracks", "candidates"))]
    start: TrackID = Field(description="The id of a track in the pool.")
    end: TrackID
    waypoints: list[TrackID] = Field(default=[], description="Played in this order, evenly spaced.")
    count: int | None = Field(default=None, ge=2, le=200, description="With both ends.")
    minutes: Minutes | None = None
    paths: int = Field(default=1, ge=1, le=5, description="So many different ones.")
    harmonic: HarmonicRules = HarmonicRules.STRICT
    max_pitch_percent: float | None = Field(default=6, ge=0, le=100, allow_inf_nan=False)
    time_budget_seconds: Budget | None = None


class PathResult(BaseModel):
    paths: list[SetResult] = Field(
        description="The best first; each uses as few tracks of the others as it can."
    )
    elapsed_ms: int = 0


class EnergyWish(StrEnum):
    UP = "up"
    HOLD = "hold"
    DOWN = "down"


class NextRequest(TransitionRules):
    """What to play after this."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "current": {"track_id": "a", "bpm": 124, "key": "Am", "energy": 5},
                "candidates": [
                    {"track_id": "b", "bpm": 125, "key": "9A", "energy": 6},
                    {"track_id": "c", "bpm": 90, "key": "Eb", "energy": 2},
                ],
                "energy": "up",
            }
        }
    )

    current: TrackObject
    recent: list[TrackObject] = Field(default=[], max_length=50, description="Played before it, latest last.")
    candidates: Annotated[
        list[TrackObject], Field(validation_alias=AliasChoices("candidates", "pool", "tracks"))
    ]
    limit: int = Field(default=10, ge=1, le=100)
    energy: EnergyWish | None = None
    exclude: list[TrackID] = []


class NextChoice(BaseModel):
    track: TrackObject
    score: Unit
    transition: Transition


class NextResult(BaseModel):
    choices: list[NextChoice]
    missing: list[MissingData] = []
    notes: list[str] = []
    elapsed_ms: int = 0


class ScoreRequest(TransitionRules):
    """Judge an order as it is."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "tracks": [
                    {"track_id": "a", "bpm": 124, "key": "Am"},
                    {"track_id": "b", "bpm": 125, "key": "9A"},
                ]
            }
        }
    )

    tracks: Annotated[list[TrackObject], Field(validation_alias=AliasChoices("tracks", "playlist"))]
    energy_curve: CurvePreset | list[CurvePoint] | None = None


class ScoreResult(Explained):
    energy_deviation: float | None = None
    harmonic_share: float | None = None
    greedy_score: Unit
