"""The words of getting audio: where from, what is wanted, what was found, and what it sounds like."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from dj_contracts.errors import ErrorCode
from dj_contracts.tracks import URL, ShortText


class SourceName(StrEnum):
    """Where audio can come from. A list of them is an order of preference."""

    UPLOAD = "upload"
    LOCAL = "local"
    GAMDL = "gamdl"
    YTDLP = "yt-dlp"
    SEARCH = "search"


class AudioFormat(StrEnum):
    """What a download may be converted to. Left out, it is kept as it comes."""

    MP3 = "mp3"
    M4A = "m4a"
    OPUS = "opus"
    FLAC = "flac"
    WAV = "wav"
    AIFF = "aiff"


SourceList = Annotated[list[SourceName], Field(max_length=len(SourceName))]
FilePath = Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^[^\x00]+$")]


class WantedTrack(BaseModel):
    """What is known of the track that a file is looked for, at the moment the job is claimed."""

    model_config = ConfigDict(extra="ignore")

    title: str
    artist: str = ""
    album: str = ""
    year: int | None = None
    genres: list[str] = []
    duration_seconds: float | None = Field(
        default=None, description="As a release states it; null when it was only ever read off a file."
    )
    links: list[str] = Field(default=[], description="Its links, the best first.")
    rejected_urls: list[str] = Field(default=[], description="What a person has refused for it before.")


class Candidate(BaseModel):
    """Something that a search found, and how well it fits."""

    url: URL
    title: Annotated[str, Field(max_length=1000)]
    uploader: Annotated[str, Field(max_length=1000)] = ""
    duration_seconds: float | None = Field(default=None, ge=0, le=10_000_000, allow_inf_nan=False)
    score: float = Field(ge=0, le=1)
    reasons: list[ShortText] = Field(default=[], description="What speaks against it, for people.")


class SourceTry(BaseModel):
    """A source that was tried and gave no file, and why."""

    source: SourceName
    code: ErrorCode
    detail: str
    transient: bool = False


class Fingerprint(BaseModel):
    """What a recording sounds like: Chromaprint's raw items over its first two minutes.

    Each is 32 bits that describe some 0.12 s; the same recording in another codec has nearly the same."""

    items: Annotated[list[Annotated[int, Field(ge=0, lt=2**32)]], Field(min_length=1, max_length=2000)]
    duration_seconds: float = Field(ge=0, le=10_000_000, allow_inf_nan=False)


class FingerprintQuestion(BaseModel):
    """Is this recording in the collection already, under another track?"""

    username: str
    track_id: str
    fingerprint: Fingerprint


class SameSound(BaseModel):
    """A track whose file sounds the same."""

    track_id: str
    title: str
    artist: str
    similarity: float = Field(ge=0, le=1)


class FingerprintAnswer(BaseModel):
    matches: list[SameSound]
