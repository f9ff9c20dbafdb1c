"""A find that waits for a person, as the database holds it and as the API shows it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field


class ReviewState(StrEnum):
    WAITING = "waiting"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class ReviewCandidate(BaseModel):
    """Something that a search found for a track, beside what is known of the track."""

    id: int
    username: str
    track_id: str
    track_title: str
    track_artist: str
    track_duration_seconds: float | None
    url: str
    title: str
    uploader: str
    duration_seconds: float | None
    score: float = Field(ge=0, le=1, description="How well it fits; sure finds are never listed here.")
    reasons: list[str] = Field(description="What speaks against it.")
    state: ReviewState
    found_at: datetime
    decided_at: datetime | None


class ReviewPage(BaseModel):
    """Candidates, the best first; ``total`` counts all that the filters leave."""

    results: list[ReviewCandidate]
    total: int
    limit: int
    offset: int


@dataclass(frozen=True)
class CandidateRow:
    id: int
    username: str
    track_id: str
    track_title: str
    track_artist: str
    track_duration_seconds: float | None
    url: str
    title: str
    uploader: str
    duration_seconds: float | None
    score: float
    reasons: list[str]
    state: str
    found_at: datetime
    decided_at: datetime | None

    def to_candidate(self) -> ReviewCandidate:
        return ReviewCandidate.model_validate(vars(self) | {"score": round(self.score, 3)})
