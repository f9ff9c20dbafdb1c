"""A collection in numbers."""

from pydantic import BaseModel, Field


class Count(BaseModel):
    name: str
    tracks: int


class Step(BaseModel):
    """A step of a scale, from ``start`` on."""

    start: int
    tracks: int


class KeyCount(BaseModel):
    """A place on the key wheel; all 24 are there, so that it can be drawn."""

    key: str
    camelot: str
    tracks: int


class PlayedTrack(BaseModel):
    track_id: str
    title: str
    artist: str
    plays: int


class Statistics(BaseModel):
    tracks: int
    with_audio: int
    analyzed: int
    rated: int
    hours: float = Field(description="How long it all lasts, as far as durations are known.")
    tempo: list[Step] = Field(description="In steps of 5 BPM.")
    keys: list[KeyCount] = Field(description="In the order of the Camelot wheel.")
    energy: list[Step]
    decades: list[Step]
    ratings: list[Step]
    labels: list[Count]
    genres: list[Count] = Field(description="Genres and styles.")
    tags: list[Count]
    artists: list[Count]
    added: list[Count] = Field(description="By month, as 2026-11, the latest first.")
    most_played: list[PlayedTrack]
