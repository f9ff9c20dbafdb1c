"""What is known of the search index, and what the API says of it."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, Field


@dataclass(frozen=True)
class IndexRow:
    """``build`` answers; ``next_build`` is under way beside it, up to the track named last."""

    name: str
    build: str | None
    fingerprint: str | None
    built_at: datetime | None
    next_build: str | None
    next_fingerprint: str | None
    next_since: datetime | None
    next_username: str | None
    next_track_id: str | None


@dataclass(frozen=True)
class OutboxEntry:
    seq: int
    username: str
    track_id: str


class IndexStatus(BaseModel):
    """How far the search engine is behind the collection."""

    engine: str = Field(description='"meilisearch", or "postgres" where there is no search engine.')
    built_at: datetime | None = Field(default=None, description="When the index that answers was built.")
    building_since: datetime | None = Field(default=None, description="A full build that is under way.")
    waiting: int = Field(default=0, description="Changes that the engine has not been told of.")
    lag_seconds: float = Field(default=0, description="The age of the oldest of these.")
