"""What a file says of itself: tags through mutagen, and its name when it has none."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutagen
from mutagen.mp4 import MP4Tags

from dj_contracts.keys import find_key

_LONGEST_TEXT = 1000
_LONGEST_FIELD = 300
# The names of one thing in ID3, Vorbis comments (upper-cased here) and MP4 atoms, first found wins.
_NAMES = {
    "title": ("TIT2", "TITLE", "\xa9nam"),
    "artist": ("TPE1", "ARTIST", "\xa9ART", "aART", "TPE2"),
    "album": ("TALB", "ALBUM", "\xa9alb"),
    "year": ("TDRC", "TYER", "DATE", "YEAR", "\xa9day"),
    "genre": ("TCON", "GENRE", "\xa9gen"),
    "bpm": ("TBPM", "BPM", "----:com.apple.iTunes:BPM", "tmpo"),
    "key": ("TKEY", "INITIALKEY", "KEY", "----:com.apple.iTunes:initialkey"),
}


@dataclass(frozen=True)
class FileTags:
    title: str
    artist: str
    album: str
    year: int | None
    genres: list[str]
    bpm: float | None
    key: str | None
    duration_seconds: float | None


def read_tags(path: Path, file_name: str | None = None) -> FileTags:
    """The tags of a file; one without tags, or that mutagen cannot read, is named after its file name
    (``file_name`` where that says more than the path)."""
    try:
        file = mutagen.File(path)
    except (mutagen.MutagenError, OSError, ValueError, IndexError, KeyError):
        # mutagen lets a few plain errors out on damaged files. Whether the audio is sound is for
        # the analysis to say; here the file only needs a name.
        file = None
    texts = _read_texts(file.tags) if file is not None and file.tags is not None else {}
    named_artist, named_title = _from_file_name(file_name or path.name)
    title = _first(texts, "title")
    return FileTags(
        title=title or named_title,
        artist=_first(texts, "artist") or ("" if title else named_artist),
        album=_first(texts, "album"),
        year=_year(_first(texts, "year")),
        genres=[genre[:_LONGEST_FIELD] for genre in texts.get("genre", []) if genre][:50],
        bpm=_bpm(_first(texts, "bpm")),
        key=key.name if (key := find_key(_first(texts, "key"))) else None,
        duration_seconds=_duration(file),
    )


def _read_texts(tags: Mapping[str, Any]) -> dict[str, list[str]]:
    found: dict[str, Any] = {}
    for name, value in tags.items():
        found.setdefault(name if isinstance(tags, MP4Tags) else name.upper(), value)
    return {
        field: _texts(found[name])
        for field, names in _NAMES.items()
        for name in reversed(names)
        if name in found
    }


def _texts(value: Any) -> list[str]:
    if hasattr(value, "genres"):  # an ID3 genre frame, whose numbers mutagen turns into names
        values = list(value.genres)
    elif hasattr(value, "text"):
        values = list(value.text)
    else:
        values = list(value) if isinstance(value, list) else [value]
    return [_clean(item) for item in values]


def _clean(value: Any) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text.replace("\x00", " ").encode("utf-8", "ignore").decode().strip()[:_LONGEST_TEXT]


def _first(texts: dict[str, list[str]], field: str) -> str:
    return next((text for text in texts.get(field, []) if text), "")


def _from_file_name(name: str) -> tuple[str, str]:
    """("Artist", "Title") of "Artist - Title.mp3"."""
    stem = _clean(Path(name).stem) or "Untitled"
    artist, dash, title = stem.partition(" - ")
    return (artist.strip(), title.strip()) if dash and title.strip() else ("", stem)


def _year(text: str) -> int | None:
    return int(text[:4]) if text[:4].isascii() and text[:4].isdigit() and int(text[:4]) else None


def _bpm(text: str) -> float | None:
    try:
        bpm = float(text.replace(",", "."))
    except ValueError:
        return None
    return bpm if 0 < bpm <= 1000 else None


def _duration(file: Any) -> float | None:
    length = getattr(getattr(file, "info", None), "length", None)
    return float(length) if length and 0 < length < 10_000_000 else None
