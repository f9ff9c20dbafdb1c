"""Every setting of the gateway. .env.example explains them to people."""

import os
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from dj_contracts.tracks import Username
from dj_servicekit.settings import ServiceSettings
from gateway_api.host_limits import HostLimits

PathList = Annotated[tuple[Path, ...], NoDecode]
WordList = Annotated[tuple[str, ...], NoDecode]


class Settings(ServiceSettings):
    port: int = Field(default=8000, ge=0, le=65535)
    database_url: SecretStr
    database_connections: int = Field(default=8, ge=2, le=100)
    redis_url: SecretStr
    essentia_url: str = "http://127.0.0.1:8001"
    ga_url: str = "http://127.0.0.1:8002"
    service_token: SecretStr = Field(min_length=16)
    api_token: SecretStr | None = Field(default=None, min_length=16)
    trust_network: bool = False
    published_on: str = Field(default="", description="In a container: the host's address that leads here.")
    allowed_hosts: WordList = ("localhost", "127.0.0.1", "[::1]")
    cors_origins: WordList = ()
    rate_limit_per_second: float = Field(default=100, ge=0)
    default_username: Username = "dj"
    audio_dir: Path
    music_dirs: PathList = ()
    max_upload_bytes: int = Field(default=2 * 1024**3, ge=1)
    disk_floor_bytes: int = Field(default=500 * 1024**2, ge=0)
    gateway_url: str = Field(default="http://127.0.0.1:8000", pattern="^https?://[^/]")
    s3_url: str | None = Field(default=None, pattern=r"^https?://")
    s3_bucket: str | None = None
    s3_prefix: str = ""
    s3_region: str = "us-east-1"
    s3_access_key: str | None = None
    s3_secret_key: SecretStr | None = None
    backup_dir: Path | None = None
    backup_every_hours: float = Field(default=24, ge=0)
    backup_keep: int = Field(default=7, ge=0)
    job_lease_seconds: float = Field(default=30, gt=0)
    job_max_attempts: int = Field(default=5, ge=1)
    meili_url: str | None = None
    meili_key: SecretStr | None = None
    meili_index: str = Field(default="tracks", pattern=r"^[A-Za-z0-9_-]{1,100}$")
    meili_timeout_seconds: float = Field(default=2, gt=0)
    index_poll_seconds: float = Field(default=0.5, gt=0)
    sweep_seconds: float = Field(default=2, gt=0)
    host_limits: str = "youtube.com=2/2 soundcloud.com=2/1 *=4/0"

    embeddings: Literal["local", "openai", "off"] = "local"
    embeddings_base_url: str = "https://api.openai.com/v1"
    embeddings_api_key: SecretStr | None = None
    embeddings_model: str = Field(default="text-embedding-3-small", min_length=1, max_length=200)
    embeddings_dimensions: int | None = Field(default=None, ge=2, le=4000)
    embeddings_floor: float = Field(default=0.25, ge=-1, le=1)

    @field_validator("music_dirs", mode="before")
    @classmethod
    def _split_paths(cls, value: object) -> object:
        return tuple(part for part in value.split(os.pathsep) if part) if isinstance(value, str) else value

    @field_validator("allowed_hosts", "cors_origins", mode="before")
    @classmethod
    def _split_words(cls, value: object) -> object:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("host_limits")
    @classmethod
    def _read_host_limits(cls, value: str) -> str:
        HostLimits.parse(value)
        return value

    @property
    def folder_of_backups(self) -> Path:
        """Left out, it is beside the audio, where scans pass over it as over every folder with a dot."""
        return self.backup_dir or self.audio_dir / ".backups"

    @model_validator(mode="after")
    def _a_bucket_needs_its_keys(self) -> "Settings":
        given = (self.s3_url, self.s3_bucket, self.s3_access_key, self.s3_secret_key)
        if any(given) and not all(given):
            raise ValueError(
                "S3_URL, S3_BUCKET, S3_ACCESS_KEY and S3_SECRET_KEY belong together. Set all four"
            )
        return self

    @model_validator(mode="after")
    def _public_needs_a_credential(self) -> "Settings":
        name, address = ("PUBLISHED_ON", self.published_on) if self.published_on else ("HOST", self.host)
        if not is_loopback(address) and self.api_token is None and not self.trust_network:
            raise ValueError(
                f"{name}={address} listens beyond this machine without a credential. Set API_TOKEN, "
                "or TRUST_NETWORK=true where only trusted machines can reach it"
            )
        return self


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
