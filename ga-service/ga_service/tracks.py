"""Reads what set building needs out of a caller's track object, and says what was missing or unusable.

The object itself is never changed: it goes back as it came.
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from dj_contracts.keys import Key, find_key
from ga_service.model import FASTEST_BPM, SLOWEST_BPM

_EMBEDDING_SCALE = 1000.0
_NO_GENRES: frozenset[str] = frozenset()


class Reading(NamedTuple):
    """One track as the model sees it; None is missing. Energy is on the scale 0-1."""

    track_id: str | int | None
    bpm: float | None
    key: Key | None
    energy: float | None
    artist: str | None
    record: str | None
    duration_seconds: float | None
    genres: frozenset[str]
    label: str | None
    embedding: tuple[float, ...] | None
    problems: tuple[str, ...]


def read_tracks(tracks: Sequence[Mapping[str, Any]]) -> list[Reading]:
    """Energy is taken as 0-1 unless a track of the request has more than 1: then all are 1-10."""
    energies = [_number(track.get("energy")) for track in tracks]
    out_of_ten = any(energy is not None and 1 < energy <= 10 for energy in energies)
    return [_read(track, out_of_ten=out_of_ten) for track in tracks]


def _read(track: Mapping[str, Any], *, out_of_ten: bool) -> Reading:
    problems: list[str] = []
    bpm = _number(track.get("bpm"))
    if bpm is None:
        problems.append("no tempo" if _absent(track.get("bpm")) else "tempo is not a number")
    elif not SLOWEST_BPM <= bpm <= FASTEST_BPM:
        problems.append(f"tempo {bpm:g} is outside {SLOWEST_BPM:g}-{FASTEST_BPM:g}")
        bpm = None
    raw_key = track.get("key")
    key = _cached_key(raw_key) if type(raw_key) is str and len(raw_key) < 40 else None
    if key is None:
        problems.append("no key" if _absent(raw_key) else "key is not a known spelling")
    energy = _number(track.get("energy"))
    if energy is not None and out_of_ten:
        energy = (energy - 1.0) / 9.0
    if energy is None:
        problems.append("no energy" if _absent(track.get("energy")) else "energy is not a number")
    elif not -0.000001 <= energy <= 1.000001:
        problems.append("energy is off the scale")
        energy = None
    duration = _number(track.get("duration_seconds"))
    if duration is not None and not 0 < duration <= 86_400:
        problems.append("duration is not between 0 and a day")
        duration = None
    return Reading(
        track_id=_id(track.get("track_id")),
        bpm=bpm,
        key=key,
        energy=energy,
        artist=_name(track.get("artist")),
        record=_name(track.get("release_id")) or _name(track.get("album")),
        duration_seconds=duration,
        genres=_genres(track),
        label=_name(track.get("label")),
        embedding=_embedding(track),
        problems=tuple(problems),
    )


def _id(value: Any) -> str | int | None:
    if type(value) is str:
        # Half a surrogate pair cannot be encoded; the track object itself still goes back as it came.
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    return value if type(value) is int else None


def _absent(value: Any) -> bool:
    return value is None or value == ""


# Thousands of tracks share few spellings, and reading one must take microseconds.
_cached_key = lru_cache(maxsize=2048)(find_key)


def _number(value: Any) -> float | None:
    kind = type(value)
    if kind is float:
        return value if math.isfinite(value) else None
    if kind is int:
        return float(value) if abs(value) < 10**15 else None
    if kind is not str:
        return None
    try:
        number = float(value.strip().replace(",", ".").lower().removesuffix("bpm"))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _name(value: Any) -> str | None:
    kind = type(value)
    if kind is str:
        return _folded(value)
    return _folded(str(value)) if kind is int or kind is float else None


@lru_cache(maxsize=16384)
def _folded(name: str) -> str | None:
    return " ".join(name.encode("utf-8", "replace").decode().casefold().split()) or None


def _genres(track: Mapping[str, Any]) -> frozenset[str]:
    found: set[str] = set()
    for field in ("genres", "styles", "genre"):
        value = track.get(field)
        if value is not None:
            found.update(
                name for item in (value if type(value) is list else [value]) if (name := _name(item))
            )
    return frozenset(found) if found else _NO_GENRES


def _embedding(track: Mapping[str, Any]) -> tuple[float, ...] | None:
    """The vector at length 1000 in whole numbers: sums of their products are exact in any order."""
    raw = track.get("embedding")
    if raw is None and type(vectors := track.get("_vectors")) is dict:
        raw = vectors.get("default")
        if isinstance(raw, dict):
            raw = raw.get("embeddings")
    if not isinstance(raw, list) or not 0 < len(raw) <= 4096:
        return None
    numbers = [None if type(item) is str else _number(item) for item in raw]
    clean = [number for number in numbers if number is not None and abs(number) < 1e100]
    length = math.sqrt(math.fsum(number * number for number in clean))
    if len(clean) != len(raw) or length < 1e-100:
        return None
    return tuple(float(math.floor(number / length * _EMBEDDING_SCALE + 0.5)) for number in clean)
