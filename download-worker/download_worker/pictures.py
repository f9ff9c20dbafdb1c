"""The picture in an audio file's tags: the front cover, or else the first there is."""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutagen
from mutagen.flac import Picture
from mutagen.id3 import ID3
from mutagen.mp4 import MP4Tags

from dj_servicekit.logs import log

_FRONT_COVER = 3
_LARGEST_BYTES = 20_000_000


@dataclass(frozen=True)
class CoverPicture:
    content: bytes
    suffix: str


def find_picture(path: Path) -> CoverPicture | None:
    try:
        file: Any = mutagen.File(path)
        found = list(_pictures(file)) if file is not None else []
    except (mutagen.MutagenError, OSError, ValueError, KeyError, IndexError) as exc:
        # mutagen lets a few plain errors out on files that it does not understand.
        log.info("tags_not_read", file=path.name, reason=repr(exc))
        return None
    found.sort(key=lambda each: each[0] != _FRONT_COVER)
    for _, content in found:
        # What the tags call it is not asked: a picture shows what it is in its first bytes.
        if (suffix := _suffix_of(content)) and len(content) <= _LARGEST_BYTES:
            return CoverPicture(content, suffix)
    return None


def _pictures(file: Any) -> Iterator[tuple[int, bytes]]:
    """(kind of picture, content), in the order of the file."""
    for picture in getattr(file, "pictures", []):
        yield int(picture.type), bytes(picture.data)
    tags: Any = file.tags
    frames: Any = tags
    if isinstance(tags, ID3):
        for frame in frames.getall("APIC"):
            yield int(frame.type), bytes(frame.data)
    elif isinstance(tags, MP4Tags):
        for cover in frames.get("covr", []):
            yield _FRONT_COVER, bytes(cover)
    elif tags is not None and hasattr(tags, "get"):
        for text in tags.get("metadata_block_picture", []):
            try:
                embedded = Picture(base64.b64decode(text))  # type: ignore[no-untyped-call]  # mutagen's own
            except (binascii.Error, TypeError, mutagen.MutagenError):
                continue
            yield int(embedded.type), bytes(embedded.data)


def _suffix_of(content: bytes) -> str | None:
    if content.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    return None
