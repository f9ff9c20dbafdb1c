"""Where audio lives, and the proof that a path stays inside.

A stored path is relative (below the managed audio folder) or absolute (inside one of the music
folders, which are read in place and never written). Links that lead out are refused.
"""

import os
import shutil
from pathlib import Path

from dj_contracts.errors import ErrorCode
from dj_servicekit.errors import Forbidden, NotFound, ServiceError


class DiskFull(ServiceError):
    status = 507
    code = ErrorCode.DISK_FULL


class AudioFolders:
    def __init__(self, managed: Path, in_place: tuple[Path, ...], floor_bytes: int) -> None:
        self.managed = managed.resolve()
        self.in_place = tuple(folder.resolve() for folder in in_place)
        self.floor_bytes = floor_bytes

    def locate(self, audio_path: str) -> Path:
        """The file of a stored path. Raises Forbidden outside the folders, NotFound when gone."""
        path = (self.managed / audio_path).resolve()
        if not self.contains(path):
            raise Forbidden(f"{audio_path!r} is not inside the audio folders.")
        if not path.is_file():
            raise NotFound(
                f"The file {audio_path!r} is gone. Put it back and scan again.", code=ErrorCode.FILE_MISSING
            )
        return path

    def contains(self, path: Path) -> bool:
        """Whether a resolved path lies in one of the folders."""
        return any(path.is_relative_to(folder) for folder in (self.managed, *self.in_place))

    def stored_path(self, path: Path) -> str:
        """How a file inside the folders is named in the database."""
        if path.is_relative_to(self.managed):
            return str(path.relative_to(self.managed))
        return str(path)

    def require_space(self, extra_bytes: int = 0) -> None:
        self.managed.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self.managed).free - extra_bytes < self.floor_bytes:
            raise DiskFull("The disk of the audio folder is almost full. Make room and try again.")

    def place(self, source: Path, audio_path: str) -> None:
        """Move a finished file to its stored path in one step that is never half done."""
        target = self.managed / audio_path
        target.parent.mkdir(parents=True, exist_ok=True)
        with source.open("rb") as file:
            os.fsync(file.fileno())
        source.replace(target)
