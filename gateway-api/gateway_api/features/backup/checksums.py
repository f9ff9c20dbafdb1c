"""The SHA-256 of audio files, read through once and remembered while their ETag stays."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from dj_servicekit.errors import Forbidden, NotFound
from gateway_api.adapters.audio_storage import AudioStorage, Content
from gateway_api.db import Pool, transaction
from gateway_api.features.audio import store

_BATCH = 500


@dataclass(frozen=True)
class FileState:
    """A file as it is now; without size it is not there, without checksum nobody has read it."""

    path: str
    size: int | None
    sha256: str | None


async def list_file_states(
    paths: Sequence[str], *, db: Pool, storage: AudioStorage, read_unknown: bool
) -> AsyncGenerator[FileState, None]:
    """The state of each file, in the order of the paths. ``read_unknown`` reads the files that were never
    read as they are now, which takes as long as the disk does."""
    for start in range(0, len(paths), _BATCH):
        batch = paths[start : start + _BATCH]
        async with transaction(db) as conn:
            known = await store.list_checksums(conn, batch)
        for path in batch:
            yield await _state(path, known.get(path), db=db, storage=storage, read_unknown=read_unknown)


async def _state(
    path: str, known: tuple[str, str] | None, *, db: Pool, storage: AudioStorage, read_unknown: bool
) -> FileState:
    try:
        file = await storage.open(path)
    except (NotFound, Forbidden):
        return FileState(path, None, None)
    try:
        if known is not None and known[0] == file.etag:
            return FileState(path, file.size, known[1])
        if not read_unknown:
            return FileState(path, file.size, None)
        sha256 = await _read(file)
    finally:
        await file.close()
    async with transaction(db) as conn:
        await store.save_checksum(conn, path, file.etag, sha256)
    return FileState(path, file.size, sha256)


async def _read(file: Content) -> str:
    digest = hashlib.sha256()
    async with aclosing(file.chunks(0, file.size)) as chunks:
        async for chunk in chunks:
            await asyncio.to_thread(digest.update, chunk)
    return digest.hexdigest()
