"""The data folder: what lies where, who uses it now, and what the supervisor says about itself.

Whoever holds the lock is the supervisor; the kernel frees it however that process ends, so a state
file left by a kill -9 is known to be old.
"""

import fcntl
import json
import os
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from standalone.processes import StartError
from standalone.secret_files import secret, write_private

_FLOOR_BYTES = 500 * 1024**2


def default_data_dir() -> Path:
    if chosen := os.environ.get("DJ_DATA"):
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "dj-playlist"


@dataclass(frozen=True)
class Home:
    root: Path

    @property
    def option(self) -> str:
        """What a command has to be given to mean this folder, as it is typed."""
        return "" if self.root == default_data_dir() else f" --data {shlex.quote(str(self.root))}"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def audio(self) -> Path:
        return self.root / "audio"

    @property
    def state_file(self) -> Path:
        return self.root / "state.json"

    def create(self) -> None:
        """Make the folders, or say in a sentence why they cannot be."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self.logs, self.audio):
                folder.mkdir(exist_ok=True)
            free = shutil.disk_usage(self.root).free
        except OSError as exc:
            raise StartError(
                f"The data folder {self.root} cannot be made ({exc.strerror}). "
                "Choose another with --data DIR."
            ) from exc
        if not os.access(self.root, os.W_OK | os.X_OK):
            raise StartError(
                f"The data folder {self.root} cannot be written to. Choose another with --data DIR."
            )
        floor = int(os.environ.get("DISK_FLOOR_BYTES") or _FLOOR_BYTES)
        if free < floor:
            raise StartError(
                f"The disk of {self.root} has {free // 1024**2} MB free, "
                f"and {floor // 1024**2} MB are needed. Make room, or choose another with --data DIR."
            )

    def service_token(self) -> str:
        return secret(self.root, "service-token")

    def lock(self) -> int:
        """Become the one supervisor of this folder; the lock lasts until the process ends."""
        fd = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            raise StartError(
                f"Another ./dj up already runs on {self.root}. See ./dj status; ./dj down stops it."
            ) from None
        return fd

    def is_running(self) -> bool:
        path = self.root / "lock"
        if not path.exists():
            return False
        fd = os.open(path, os.O_RDWR)
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
        return False

    def write_state(self, state: dict[str, Any]) -> None:
        write_private(self.state_file, json.dumps(state, indent=1))

    def read_state(self) -> dict[str, Any]:
        """What the supervisor said last; empty when it never said anything."""
        try:
            found = json.loads(self.state_file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return found if isinstance(found, dict) else {}

    def music_dirs(self) -> list[Path]:
        """Folders that were scanned once: their tracks must stay readable without --music."""
        path = self.root / "music-dirs.json"
        return [Path(text) for text in json.loads(path.read_text())] if path.exists() else []

    def remember_music(self, folder: Path) -> None:
        known = self.music_dirs()
        if folder not in known:
            write_private(self.root / "music-dirs.json", json.dumps([str(path) for path in [*known, folder]]))
