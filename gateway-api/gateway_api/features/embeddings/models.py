"""What the batch reads of a track, and what it keeps."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, Field


class Kind(StrEnum):
    TEXT = "text"
    AUDIO = "audio"


@dataclass(frozen=True)
class Space:
    """Vectors that may be compared: of one kind, one model and one length."""

    kind: Kind
    model: str
    dims: int


class EmbeddingStatus(BaseModel):
    model: str | None = Field(description="What embeds; null where EMBEDDINGS is off.")
    embedded: int = Field(description="Tracks whose text this model has embedded.")
    wordless: int = Field(description="Tracks of whose text the model knows no word.")
    waiting: int = Field(description="Tracks that are new or have changed since.")


@dataclass(frozen=True)
class DueText:
    """A track whose text is to be embedded, and what is known of the text embedded last."""

    username: str
    track_id: str
    change: int
    title: str
    artist: str
    album: str
    year: int | None
    genres: list[str]
    styles: list[str]
    local_tags: list[str]
    notes: str | None
    bpm: float | None
    energy: float | None
    mood_happy: float | None
    mood_sad: float | None
    mood_relaxed: float | None
    mood_aggressive: float | None
    model: str | None
    made_from: str | None
