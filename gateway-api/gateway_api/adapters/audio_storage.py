"""The port through which audio is kept and read: a folder here, or a bucket that speaks S3."""

import asyncio
import os
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from dj_contracts.errors import ErrorCode
from dj_servicekit.errors import NotFound
from dj_servicekit.file_spans import FileSpan
from gateway_api.adapters.audio_folders import AudioFolders

CHUNK = 256 * 1024


class Content(Protocol):
    """One version of a file, held until it is closed: what is read belongs to the ETag that it names."""

    @property
    def size(self) -> int: ...

    @property
    def etag(self) -> str:
        """A strong one, in quotes."""

    @property
    def modified(self) -> datetime: ...

    def span(self, start: int, stop: int) -> FileSpan | None:
        """The bytes as a part of a local file, where it is one."""

    def chunks(self, start: int, stop: int) -> AsyncGenerator[bytes, None]: ...

    async def close(self) -> None: ...


class AudioStorage(Protocol):
    async def open(self, audio_path: str) -> Content:
        """Raises Forbidden outside of what is audio here, NotFound when there is no such file."""

    async def has(self, audio_path: str) -> bool: ...

    async def place(self, source: Path, audio_path: str) -> None:
        """Move a finished local file to its stored path, in one step that is never half done."""

    async def remove(self, audio_path: str) -> None:
        """Nothing is there afterwards, whether or not something was."""

    async def is_remote(self, audio_path: str) -> bool:
        """Whether the other services must ask the gateway for the file: it is in no folder of theirs."""

    async def answers(self) -> bool:
        """Whether it can be reached."""


class LocalFile:
    def __init__(self, file: BinaryIO) -> None:
        status = os.fstat(file.fileno())
        self._file = file
        self.size = status.st_size
        self.etag = f'"{status.st_size:x}-{status.st_mtime_ns:x}"'
        self.modified = datetime.fromtimestamp(status.st_mtime, UTC)

    def span(self, start: int, stop: int) -> FileSpan | None:
        return FileSpan(self._file, start, stop - start)

    async def chunks(self, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        while start < stop:
            wanted = min(CHUNK, stop - start)
            chunk = await asyncio.to_thread(os.pread, self._file.fileno(), wanted, start)
            if not chunk:
                return  # it became shorter; the broken Content-Length tells the client
            start += len(chunk)
            yield chunk

    async def close(self) -> None:
        self._file.close()  # nothing was written, so there is nothing that it waits for


class Bytes:
    """Content that was made just now. Its ETag says of what, and it is as old as nothing."""

    modified = datetime(2000, 1, 1, tzinfo=UTC)

    def __init__(self, content: bytes, etag: str) -> None:
        self._content = content
        self.size = len(content)
        self.etag = etag

    def span(self, start: int, stop: int) -> None:
        """It is no part of a file."""

    async def chunks(self, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        yield self._content[start:stop]

    async def close(self) -> None:
        """There is nothing to close."""


class FolderStorage:
    """The managed folder and the music folders."""

    def __init__(self, folders: AudioFolders) -> None:
        self._folders = folders

    async def open(self, audio_path: str) -> LocalFile:
        return await asyncio.to_thread(self._open, audio_path)

    async def has(self, audio_path: str) -> bool:
        return await asyncio.to_thread((self._folders.managed / audio_path).exists)

    async def place(self, source: Path, audio_path: str) -> None:
        await asyncio.to_thread(self._folders.place, source, audio_path)

    async def remove(self, audio_path: str) -> None:
        path = (self._folders.managed / audio_path).resolve()
        if path.is_relative_to(self._folders.managed):
            await asyncio.to_thread(path.unlink, missing_ok=True)

    async def is_remote(self, audio_path: str) -> bool:
        return False

    async def answers(self) -> bool:
        return await asyncio.to_thread(self._folders.managed.is_dir)

    def _open(self, audio_path: str) -> LocalFile:
        path = self._folders.locate(audio_path)
        try:
            return LocalFile(path.open("rb", buffering=0))
        except OSError as exc:
            raise NotFound(
                f"The file {audio_path!r} cannot be read: {exc.strerror}.", code=ErrorCode.FILE_MISSING
            ) from exc
