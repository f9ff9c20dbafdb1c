"""The SHA-256 of audio files, read through once and remembered while size and time of change stay."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dj_servicekit.errors import ServiceError
from gateway_api.adapters.audio_folders import AudioFolders
from gateway_api.db import Pool, transaction
from gateway_api.features.backup import store

_BATCH = 500


@dataclass(frozen=True)
class FileState:
    """A file as it is now; without size it is not there, without checksum nobody has read it."""

    path: str
    size: int | None
    sha256: str | None


async def list_file_states(
    paths: Sequence[str], *, db: Pool, audio: AudioFolders, read_unknown: bool
) -> AsyncGenerator[FileState, None]:
    """The state of each file, in the order of the paths. ``read_unknown`` reads the files that were never
    read as they are now, which takes as long as the disk does."""
    for start in range(0, len(paths), _BATCH):
        batch = paths[start : start + _BATCH]
        async with transaction(db) as conn:
            known = await store.list_checksums(conn, batch)
        stats = await asyncio.to_thread(_look_at, batch, audio)
        for audio_path in batch:
            if (found := stats[audio_path]) is None:
                yield FileState(audio_path, None, None)
                continue
            path, size, mtime_ns = found
            before = known.get(audio_path)
            if before is not None and before[:2] == (size, mtime_ns):
                yield FileState(audio_path, size, before[2])
            elif read_unknown:
                yield await _read(audio_path, path, size, mtime_ns, db)
            else:
                yield FileState(audio_path, size, None)


async def _read(audio_path: str, path: Path, size: int, mtime_ns: int, db: Pool) -> FileState:
    try:
        sha256 = await asyncio.to_thread(_sha256, path)
    except OSError:
        return FileState(audio_path, None, None)  # it went away, or cannot be read: it is missing
    async with transaction(db) as conn:
        await store.save_checksum(conn, audio_path, size, mtime_ns, sha256)
    return FileState(audio_path, size, sha256)


def _look_at(paths: Sequence[str], audio: AudioFolders) -> dict[str, tuple[Path, int, int] | None]:
    found: dict[str, tuple[Path, int, int] | None] = {}
    for audio_path in paths:
        try:
            path = audio.locate(audio_path)
            status = path.stat()
            found[audio_path] = (path, status.st_size, status.st_mtime_ns)
        except (ServiceError, OSError):
            found[audio_path] = None
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
