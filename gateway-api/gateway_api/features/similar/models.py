"""What a search by sound or meaning answers, and what a recommendation is made of."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from dj_contracts.tracks import Track
from gateway_api.features.embeddings.models import Space


@dataclass(frozen=True)
class Probe:
    """The vector that others are compared with, as Postgres writes it."""

    space: Space
    vector: str


@dataclass(frozen=True)
class Candidate:
    """What is known of how a track goes with another; None where one of the two says nothing."""

    username: str
    track_id: str
    bpm: float | None
    key: str | None
    sound: float | None
    text: float | None


class SimilarTrack(BaseModel):
    track: Track
    similarity: float = Field(description="Cosine similarity: 1 is the same, 0 has nothing in common.")


class SimilarTracks(BaseModel):
    """The nearest first. Only tracks that were measured by the same model are compared."""

    track_id: str
    model: str
    hits: list[SimilarTrack]


class SemanticHits(BaseModel):
    """Tracks by what is written about them, the nearest first; none below the floor."""

    query: str
    model: str
    floor: float = Field(description="Below this similarity nothing counts as a match.")
    hits: list[SimilarTrack]
    detail: str | None = Field(description="Why there are no hits, or what is missing from them.")
    complete: bool = Field(description="False while texts of this collection wait to be embedded.")


class Weights(BaseModel):
    """How much each part counts. A part that is not known of a pair is left out, and the others count
    for it."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    sound: float = Field(default=0.4, ge=0, le=1)
    text: float = Field(default=0.15, ge=0, le=1)
    tempo: float = Field(default=0.25, ge=0, le=1)
    key: float = Field(default=0.2, ge=0, le=1)


class Parts(BaseModel):
    """0 to 1 each; null where one of the two tracks says nothing."""

    sound: float | None
    text: float | None
    tempo: float | None
    key: float | None


class Recommendation(BaseModel):
    track: Track
    score: float
    parts: Parts
    reason: str


class Recommendations(BaseModel):
    track_id: str
    weights: Weights
    hits: list[Recommendation]
