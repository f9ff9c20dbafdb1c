"""What essentia-api can be told through the environment."""

import os
from pathlib import Path

from pydantic import Field, SecretStr

from dj_servicekit.settings import ServiceSettings


class Settings(ServiceSettings):
    port: int = Field(default=8001, ge=1, le=65535)
    audio_dir: Path = Field(default=Path("audio"), description="The managed folder; relative names lie here.")
    music_dirs: str = Field(default="", description="More folders to read in place, split as PATH is.")
    models_dir: Path | None = Field(
        default=None, description="Models that somebody mounts; /models lists them."
    )
    analysis_workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=64)
    analysis_waiting: int = Field(
        default=16, ge=0, le=1000, description="Requests that may wait for a process."
    )
    analysis_timeout_seconds: float = Field(
        default=600, gt=0, description="After this an analysis is killed."
    )
    analysis_memory_mb: int = Field(
        default=4000, ge=500, description="Address space of one analysis process; beyond it, it fails alone."
    )
    max_duration_seconds: float = Field(default=14_400, gt=0)
    max_file_bytes: int = Field(default=2_000_000_000, ge=1000)
    max_upload_bytes: int = Field(default=500_000_000, ge=1000)
    gateway_url: str = Field(
        default="http://gateway:8000",
        pattern="^https?://[^/]",
        description="Audio may be named by URLs of this host.",
    )
    api_token: SecretStr | None = Field(default=None, description="Shown to the gateway, and to nobody else.")
    allow_url_hosts: str = Field(
        default="",
        pattern=r"^[\w.\-:\[\], *]*$",
        description="host[:port],... that may be fetched from too; * is every host with a public address.",
    )
    fetch_timeout_seconds: float = Field(
        default=120, gt=0, description="For a whole file behind a URL, or an upload."
    )

    @property
    def folders(self) -> tuple[Path, ...]:
        """Every folder that may be read, the managed one first."""
        more = (Path(part) for part in self.music_dirs.split(os.pathsep) if part)
        return (self.audio_dir, *more)
