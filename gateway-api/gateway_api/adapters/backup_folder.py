"""The folder of backups: which there are, which are being made, and that only finished ones are seen.

A backup is written beside its name and moved onto it at its end. While it is waited for or made, a
small JSON file of the same name says how far it is; the folder alone is the truth, so that a restored
database changes nothing here.
"""

import errno
import fcntl
import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from dj_servicekit.errors import Busy, Conflict, NotFound
from gateway_api.adapters.audio_folders import DiskFull

Reason = Literal["hand", "schedule", "before-restore", "uploaded"]
RunState = Literal["waiting", "running", "failed"]
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,100}\.zip$"
_MADE_BY_US = re.compile(r"dj-(\d{8}-\d{6})-[0-9a-f]{4}-(hand|schedule|before-restore)\.zip")


@dataclass(frozen=True)
class Finished:
    name: str
    reason: Reason
    size: int
    created_at: datetime


@dataclass(frozen=True)
class Run:
    """A backup that is not there yet."""

    name: str
    reason: Reason
    state: RunState
    with_checksums: bool = True
    stage: str = ""
    progress: float = 0.0
    error: str | None = None


class BackupFolder:
    def __init__(self, path: Path, floor_bytes: int) -> None:
        self.path = path
        self.floor_bytes = floor_bytes

    def new_name(self, reason: Reason) -> str:
        return f"dj-{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:4]}-{reason}.zip"

    def list_finished(self) -> list[Finished]:
        """Newest first."""
        if not self.path.is_dir():
            return []
        found = []
        for path in self.path.iterdir():
            if re.fullmatch(NAME_PATTERN, path.name) and path.is_file():
                status = path.stat()
                found.append(
                    Finished(
                        path.name,
                        reason_of(path.name),
                        status.st_size,
                        datetime.fromtimestamp(status.st_mtime, UTC),
                    )
                )
        return sorted(found, key=lambda one: (one.created_at, one.name), reverse=True)

    def find(self, name: str) -> Path | None:
        path = self.path / name
        return path if re.fullmatch(NAME_PATTERN, name) and path.is_file() else None

    def get(self, name: str) -> Path:
        if (path := self.find(name)) is None:
            raise NotFound(f"There is no backup {name!r}. GET /api/backups lists those there are.")
        return path

    def delete(self, name: str) -> None:
        self.get(name).unlink(missing_ok=True)

    def list_runs(self) -> list[Run]:
        if not self.path.is_dir():
            return []
        names = sorted(path.name.removesuffix(".json") for path in self.path.glob("*.zip.json"))
        return [run for name in names if (run := self.find_run(name)) is not None]

    def find_run(self, name: str) -> Run | None:
        try:
            return Run(**json.loads((self.path / f"{name}.json").read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):  # cut off by a power failure: the backup is asked for again
            return None

    def noted_at(self, name: str) -> datetime:
        return datetime.fromtimestamp((self.path / f"{name}.json").stat().st_mtime, UTC)

    def save_run(self, run: Run) -> None:
        self._make()
        scratch = self.path / f".{run.name}.json"
        scratch.write_text(json.dumps(asdict(run)))
        scratch.replace(self.path / f"{run.name}.json")

    def forget_run(self, name: str) -> None:
        (self.path / f"{name}.json").unlink(missing_ok=True)

    def require_space(self) -> None:
        self._make()
        if shutil.disk_usage(self.path).free < self.floor_bytes:
            raise DiskFull("The disk of the backup folder is almost full. Make room and try again.")

    @contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """A path to write to, which has the name when the block ends well and is gone when it does not."""
        self._make()
        partial = self.path / f".{uuid.uuid4().hex}.partial"
        try:
            partial.touch(mode=0o600)
            yield partial
            with partial.open("rb") as file:
                os.fsync(file.fileno())
            try:
                os.link(partial, self.path / name)  # unlike a move, this never replaces another
            except FileExistsError as exc:
                raise Conflict(f"There is a backup {name!r} already. Choose another name.") from exc
        except OSError as exc:
            if exc.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DiskFull("The disk of the backup folder is full. Make room and try again.") from exc
            raise
        finally:
            partial.unlink(missing_ok=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One backup or restore at a time; a killed one lets go by itself."""
        self._make()
        with (self.path / ".lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                raise Busy(
                    "A backup or a restore is under way. Try again when it is done.", retry_after_seconds=10
                ) from exc
            yield

    def remove_leftovers(self) -> None:
        """What a killed process left. Only for whoever is ``alone`` here."""
        for partial in self.path.glob(".*.partial"):
            partial.unlink(missing_ok=True)

    def _make(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)


def reason_of(name: str) -> Reason:
    match = _MADE_BY_US.fullmatch(name)
    return match[2] if match else "uploaded"  # type: ignore[return-value]  # the pattern has these words only
