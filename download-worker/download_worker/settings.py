"""What the worker can be told through the environment."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, DirectoryPath, Field, SecretStr

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

    allow_private_hosts: str = Field(default="", description="host[:port],... that downloads may reach.")
    max_download_bytes: int = Field(default=2_000_000_000, gt=0)
    download_timeout_seconds: float = Field(default=3600, gt=0)
    min_free_bytes: int = Field(default=500_000_000, ge=0, description="Leave this much of the disk free.")

    heartbeat_seconds: float = Field(default=3, gt=0, le=10)
    claim_patience_seconds: float = Field(
        default=20, ge=0, description="Then the job goes back in the queue."
    )
    report_patience_seconds: float = Field(default=600, ge=0)
    essentia_patience_seconds: float = Field(default=600, ge=0)
    analysis_timeout_seconds: float = Field(default=900, gt=0)
