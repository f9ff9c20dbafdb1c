"""Work that older setups push onto Redis lists, as the bridge hands it to the gateway."""

from typing import Any

from pydantic import BaseModel, Field

from dj_contracts.errors import ErrorCode
from dj_contracts.jobs import JobState

PUSH_LISTS = ("download-queue", "download_queue")
BRIDGE_LEASE = "dj:bridge"


class PushRegistration(BaseModel):
    """One raw push. ``id`` follows from what is asked for, so the same push again has the same one."""

    id: str = Field(pattern=r"^push-[0-9a-f]{32}$")
    identity: str = Field(
        default="",
        max_length=200,
        description="Which push it was: one that is delivered again has the same, a new one of the same wish"
        " another. Only a new one starts a job again that failed or was cancelled.",
    )
    job_type: str = Field(description="download, or one of the older kinds of job.")
    track_id: str
    username: str | None = Field(description="Null: whoever the gateway takes by default.")
    friend_id: str | None = Field(description="The older name of a collection, where it was given.")
    url: str | None
    source: str | None
    raw: dict[str, Any] = Field(description="The push as it came.")


class PushState(BaseModel):
    """How the job of a push stands, in answer to its registration and to later questions."""

    job_id: str
    state: JobState
    progress: float = Field(ge=0, le=100)
    error_code: ErrorCode | None = None
    error: str | None = None
