"""What a scan is asked and what it answers when it is done."""

from pydantic import BaseModel, ConfigDict, Field


class ScanRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"path": "/home/dj/Music"}]})

    path: str = Field(min_length=1, max_length=4096, description="A folder inside a music or audio folder.")


class PassedOverFile(BaseModel):
    path: str
    reason: str


class MissingFile(BaseModel):
    track_id: str
    path: str


class ScanSummary(BaseModel):
    """The ``returnvalue`` of a scan's job."""

    found: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    in_trash: int = 0
    missing: int = Field(default=0, description="Tracks of this folder whose file is not there any more.")
    missing_files: list[MissingFile] = Field(default=[], description="The first thousand of them.")
    passed_over: list[PassedOverFile] = []
