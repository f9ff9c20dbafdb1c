"""What a download can be asked for, how a collection likes its audio, and what sounds alike."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from dj_contracts.downloads import AudioFormat, FilePath, SourceList, SourceName
from dj_contracts.tracks import URL

DEFAULT_SOURCES = [SourceName.GAMDL, SourceName.YTDLP, SourceName.SEARCH]


class DownloadRequest(BaseModel):
    """A link, a file, or neither: then the track's own links are tried, and a search.

    With a link or file and without ``sources``, only that is tried."""

    model_config = ConfigDict(
        extra="forbid",
        allow_inf_nan=False,
        json_schema_extra={"examples": [{"url": "https://example.org/song.mp3"}, {"sources": ["search"]}]},
    )

    url: URL | None = None
    file: FilePath | None = Field(default=None, description="A path inside MUSIC_DIRS; it is copied.")
    sources: SourceList = Field(default=[], description="In this order. Left out: as preferred.")
    format: AudioFormat | None = Field(default=None, description="Convert to this. Left out: as preferred.")
    write_tags: bool | None = Field(default=None, description="Write title, artist, ... into the file.")
    duration_seconds: float | None = Field(default=None, gt=0, le=1_000_000)
    any_length: bool = False
    allow_duplicate: bool = False


class DownloadPreferences(BaseModel):
    """How a collection gets its audio when a request does not say."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"sources": ["yt-dlp", "search"], "format": "mp3"}]},
    )

    sources: SourceList = Field(default=DEFAULT_SOURCES, min_length=1)
    format: AudioFormat | None = None
    write_tags: bool = False


@dataclass(frozen=True)
class StoredFingerprint:
    track_id: str
    title: str
    artist: str
    items: bytes
    duration_seconds: float
