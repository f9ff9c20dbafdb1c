"""Uploads on their way to the disk: one pass, in pieces, never a whole file in memory.

The framework would spool a form's file to a temporary folder first, which is memory on many systems,
and copy it from there. Here the bytes of the field ``file`` go straight to where they are kept.
"""

import asyncio
import codecs
import hashlib
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from dj_contracts.errors import ErrorCode
from dj_servicekit.errors import Malformed, NotAudio
from gateway_api.adapters.audio_folders import AudioFolders

_FIELD = b"file"
_PIECE = 1024**2
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


@dataclass(frozen=True)
class ReceivedFile:
    name: str
    path: Path
    size: int
    sha256: str


class _FileField:
    """Picks the file out of a form as it comes by."""

    def __init__(self, boundary: bytes) -> None:
        self.name: str | None = None
        self.taken = bytearray()
        self._header = (bytearray(), bytearray())
        self._inside = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
                "on_header_end": self._on_header_end,
                "on_part_data": self._on_part_data,
            },
        )

    def feed(self, data: bytes) -> bytes:
        """The bytes of the file in this piece of the form."""
        self.taken = bytearray()
        self._parser.write(data)
        return bytes(self.taken)

    def end(self) -> None:
        self._parser.finalize()

    def _on_part_begin(self) -> None:
        self._inside = False

    def _on_header_end(self) -> None:
        name, value = (bytes(part) for part in self._header)
        self._header = (bytearray(), bytearray())
        if name.lower() == b"content-disposition":
            _, options = parse_options_header(value)
            if options.get(b"name") == _FIELD and b"filename" in options and self.name is None:
                self.name = options[b"filename"].decode("utf-8", "replace")
                self._inside = True

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._inside:
            self.taken += data[start:end]


async def form_file(stream: AsyncIterator[bytes], content_type: str) -> AsyncIterator[tuple[str, bytes]]:
    """(file name, bytes) as they come out of a multipart form."""
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise _no_file()
    field = _FileField(options[b"boundary"])
    try:
        async for data in stream:
            if (found := field.feed(data)) and field.name is not None:
                yield field.name, found
        field.end()
    except FormParserError as exc:
        raise Malformed("The form of the upload is broken. Send the file again.") from exc
    if field.name is None:
        raise _no_file()
    yield field.name, b""


async def named_file(stream: AsyncIterator[bytes], name: str) -> AsyncIterator[tuple[str, bytes]]:
    """The same of a body that is the file itself."""
    async for data in stream:
        yield name, data
    yield name, b""


@contextmanager
def incoming_folder(audio: AudioFolders) -> Iterator[Path]:
    """A folder for an upload under way, of which nothing is left afterwards."""
    audio.require_space()
    parent = audio.managed / ".incoming"
    parent.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=parent, prefix="upload-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


async def receive(
    pieces: AsyncIterator[tuple[str, bytes]], folder: Path, check_name: Callable[[str], None]
) -> ReceivedFile:
    """Write the file as it comes. A name that the check refuses ends it before the bytes do."""
    path = folder / "upload"
    digest = hashlib.sha256()
    size = 0
    name = ""
    waiting = bytearray()

    def write(file: BinaryIO, piece: bytes) -> None:
        if file.tell() == 0 and _is_text(piece):
            raise NotAudio(
                f"{name!r} holds text and no sound; perhaps a page was saved in its place. Get it again."
            )
        digest.update(piece)
        file.write(piece)

    with path.open("wb") as file:
        async for name, data in pieces:
            if size == 0:
                check_name(name)
            size += len(data)
            waiting += data
            if len(waiting) >= _PIECE:
                await asyncio.to_thread(write, file, bytes(waiting))
                waiting.clear()
        await asyncio.to_thread(write, file, bytes(waiting))
    if size == 0:
        raise Malformed("The uploaded file is empty.", code=ErrorCode.FILE_EMPTY)
    return ReceivedFile(name, path, size, digest.hexdigest())


def _is_text(head: bytes) -> bool:
    """Whether a file's first megabyte could all be text, which that of no audio file is: a frame of MP3 or
    AAC begins with a byte that UTF-8 does not have, and containers and tags begin with small numbers."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # a letter may be cut at the end
    except UnicodeDecodeError:
        return False
    return bool(head) and _NO_TEXT.search(head) is None


def _no_file() -> Malformed:
    return Malformed("Send the file as the field 'file' of a form: curl -F file=@song.mp3 .../api/upload")
