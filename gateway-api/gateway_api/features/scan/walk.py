"""Walks a music folder and says of each audio file where it is, or why it is passed over."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SUFFIXES = """
.aac .aif .aiff .alac .ape .flac .m4a .mka .mp3 .mp4 .mpc .oga .ogg .opus .wav .wave .webm .wma .wv
"""
AUDIO_SUFFIXES = frozenset(_SUFFIXES.split())


@dataclass(frozen=True)
class FoundFile:
    path: Path
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class PassedOver:
    path: str
    reason: str


def walk_audio(folder: Path) -> Iterator[FoundFile | PassedOver]:
    """Every audio file below a folder, in a stable order. Links to folders are not followed."""
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(parent, name)
            if path.suffix.lower() in AUDIO_SUFFIXES and not name.startswith("."):
                yield _look_at(path, folder)


def _look_at(path: Path, folder: Path) -> FoundFile | PassedOver:
    shown = os.fsencode(path).decode("utf-8", "backslashreplace")
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return PassedOver(shown, "Its name is not valid UTF-8. Rename it and scan again.")
    try:
        if path.is_symlink() and not path.resolve().is_relative_to(folder):
            return PassedOver(shown, "It is a link to a file outside the scanned folder.")
        status = path.stat()
    except OSError as exc:
        return PassedOver(shown, f"It cannot be read: {exc.strerror}.")
    if not path.is_file():
        return PassedOver(shown, "It is not a regular file.")
    return FoundFile(path, status.st_size, status.st_mtime_ns)
