"""What ga-service can be told through the environment."""

import os

from pydantic import Field

from dj_servicekit.settings import ServiceSettings


class Settings(ServiceSettings):
    port: int = Field(default=8002, ge=1, le=65535)
    ga_workers: int = Field(
        default_factory=lambda: os.cpu_count() or 1, ge=1, le=64, description="Processes that compute sets."
    )
    ga_waiting: int = Field(
        default=16, ge=0, le=1000, description="Requests that may wait for a free process."
    )
    ga_timeout_seconds: float = Field(default=180, gt=0, description="After this a computation is given up.")
    ga_max_body_bytes: int = Field(default=64_000_000, ge=1000)
