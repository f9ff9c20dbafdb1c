"""Plays and sessions as the API takes and shows them."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from dj_contracts.tracks import Text, Track, TrackID

_SessionName = Annotated[Text, Field(min_length=1, max_length=300)]


def _in_utc(moment: datetime) -> datetime:
    """In UTC, which cannot be said of the first and last hours of the calendar."""
    try:
        return moment.astimezone(UTC)
    except OverflowError as exc:
        raise ValueError("This moment is outside the calendar.") from exc


def _not_to_come(moment: datetime) -> datetime:
    """A clock may be a day ahead; one that is further ahead is wrong, and its plays would stay the latest."""
    if moment > datetime.now(UTC) + timedelta(days=1):
        raise ValueError("This moment is still to come. Send when it was played; left out, it is now.")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
PastMoment = Annotated[Moment, AfterValidator(_not_to_come)]


class NewSession(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "Saturday, club"}]})

    name: _SessionName
    started_at: Moment | None = Field(default=None, description="Left out, it is now.")


class SessionPatch(BaseModel):
    """What is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "Sunday"}]})

    name: _SessionName | None = None
    started_at: Moment | None = None


class Session(BaseModel):
    id: int
    username: str
    name: str
    started_at: datetime
    updated_at: datetime = Field(description="When its name or its start was last changed.")
    plays: int = Field(description="How many tracks were played in it.")


class NewPlay(BaseModel):
    """The same track at the same moment is the same play, however often it is told."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"track_id": "12345-A1", "session_id": 1, "played_at": "2025-11-21T23:10:00Z"}]
        },
    )

    track_id: TrackID
    session_id: int | None = Field(default=None, ge=1, le=2**63 - 1)
    played_at: PastMoment | None = Field(default=None, description="Left out, it is now.")


class Play(BaseModel):
    id: int
    username: str
    track_id: str
    title: str
    artist: str
    session_id: int | None
    played_at: datetime


class Plays(BaseModel):
    """A page of plays, the latest first; those of one session in the order in which they were played."""

    plays: list[Play]
    offset: int
    limit: int
    total: int


class UnplayedTrack(BaseModel):
    track: Track
    last_played_at: datetime | None


class UnplayedTracks(BaseModel):
    """Tracks that were not played for so long; never played first, then the longest ago."""

    tracks: list[UnplayedTrack]
    offset: int
    limit: int
