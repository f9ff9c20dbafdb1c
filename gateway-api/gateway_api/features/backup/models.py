"""What a backup says of itself, and what a restore would change."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from gateway_api.adapters.backup_folder import NAME_PATTERN, Reason

BackupName = Annotated[str, Field(pattern=NAME_PATTERN)]


class Backup(BaseModel):
    """A backup, finished or on its way. ``progress`` runs from 0 to 1."""

    name: str
    reason: Reason
    state: Literal["waiting", "running", "complete", "failed"]
    created_at: datetime | None = None
    size_bytes: int | None = None
    stage: str = ""
    progress: float = 1.0
    error: str | None = None


class BackupList(BaseModel):
    """Those on their way first, then the finished ones, newest first."""

    backups: list[Backup]
    every_hours: float = Field(description="How often one is made without being asked; 0 is never.")
    keep: int = Field(description="How many scheduled ones are kept; 0 keeps all.")


class TableInBackup(BaseModel):
    name: str
    columns: list[str]
    rows: int
    sha256: str


class SequenceInBackup(BaseModel):
    table: str
    column: str
    last_value: int
    is_called: bool


class MigrationInBackup(BaseModel):
    name: str
    checksum: str


class AudioInBackup(BaseModel):
    files: int
    bytes: int
    missing: int
    without_checksum: int
    sha256: str


class Manifest(BaseModel):
    """The member ``manifest.json`` of a backup. ``tables`` stand in an order in which they can be filled."""

    format: Literal[1] = 1
    created_at: datetime
    made_by: str
    migrations: list[MigrationInBackup]
    tables: list[TableInBackup]
    sequences: list[SequenceInBackup]
    audio: AudioInBackup


class AudioFile(BaseModel):
    """A line of the member ``audio.jsonl``. The files themselves are not in a backup."""

    path: str
    size: int | None = Field(description="Null when the file was not there.")
    sha256: str | None


class RestoreRequest(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "dj-20261121-030000-1f0c-schedule.zip", "dry_run": True}]},
    )

    name: BackupName
    dry_run: bool = Field(default=True, description="Only say what would change. Send false to do it.")


class TableChange(BaseModel):
    """Rows of a table now and after. The last three are null where the two schemas cannot be compared, and
    after a restore, which does not look row by row."""

    table: str
    rows_now: int
    rows_after: int
    added: int | None = None
    removed: int | None = None
    changed: int | None = None


class AudioChange(BaseModel):
    """The audio that the backup knows, beside the files that are here. ``different`` counts files of another
    size, or of other content where both checksums are known."""

    files: int
    present: int
    missing: int
    different: int
    examples: list[str] = Field(description="Some of the paths that are missing or different.")


class RestoreReport(BaseModel):
    name: str
    made_at: datetime
    made_by: str
    restored: bool = Field(description="False for a dry run.")
    migrations_to_apply: list[str] = Field(description="The backup is older by these.")
    tables: list[TableChange]
    audio: AudioChange
    safety_backup: str | None = Field(default=None, description="What was here before, kept by this restore.")
