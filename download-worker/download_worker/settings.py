"""What the worker can be told through the environment."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, DirectoryPath, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from dj_servicekit.settings import ServiceSettings


def _without_slash(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ValueError("give a URL that starts with http:// or https://")
    return url.rstrip("/")


ServiceURL = Annotated[str, AfterValidator(_without_slash)]


class Settings(ServiceSettings):
    redis_url: SecretStr
    gateway_url: ServiceURL
    essentia_url: ServiceURL
    service_token: SecretStr
    audio_dir: Annotated[DirectoryPath, AfterValidator(Path.absolute)]
    music_dirs: Annotated[tuple[Path, ...], NoDecode] = ()

    cookies_dir: Path | None = Field(default=None, description="Netscape files: youtube.txt, ...")
    ytdlp_format: str = "bestaudio/best"
    search_links: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("ytsearch8:{query}",), description="What yt-dlp opens to search, separated by spaces."
    )
    search_results: int = Field(default=8, ge=1, le=50)
    search_timeout_seconds: float = Field(default=120, gt=0)
    gamdl_command: str = "gamdl"
    gamdl_timeout_seconds: float = Field(default=900, gt=0)
    gamdl_quiet_seconds: float = Field(
        default=120, gt=0, description="Without a word or a byte for so long, it hangs."
    )

    allow_private_hosts: str = Field(default="", description="host[:port],... that downloads may reach.")
    max_download_bytes: int = Field(default=2_000_000_000, gt=0)
    download_timeout_seconds: float = Field(default=3600, gt=0)
    min_free_bytes: int = Field(default=500_000_000, ge=0, description="Leave this much of the disk free.")

    max_bytes_per_second: int | None = Field(
        default=None, ge=1024, description="Of each download but gamdl's."
    )

    heartbeat_seconds: float = Field(default=3, gt=0, le=10)
    claim_patience_seconds: float = Field(
        default=20, ge=0, description="Then the job goes back in the queue."
    )
    report_patience_seconds: float = Field(default=600, ge=0)
    essentia_patience_seconds: float = Field(default=20, ge=0)
    analysis_timeout_seconds: float = Field(default=900, gt=0)

    @field_validator("music_dirs", mode="before")
    @classmethod
    def _split_paths(cls, value: object) -> object:
        return tuple(part for part in value.split(os.pathsep) if part) if isinstance(value, str) else value

    @field_validator("search_links", mode="before")
    @classmethod
    def _split_words(cls, value: object) -> object:
        return tuple(value.split()) if isinstance(value, str) else value
