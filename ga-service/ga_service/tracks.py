"""Reads what set building needs out of a caller's track object, and says what was missing or unusable.

The object itself is never changed: it goes back as it came.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dj_contracts.keys import Key, find_key
from ga_service.model import FASTEST_BPM, SLOWEST_BPM

_EMBEDDING_SCALE = 1000.0


@dataclass(frozen=True, slots=True)
class Reading:
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
    key = find_key(raw_key) if isinstance(raw_key, str) else None
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
    track_id = track.get("track_id")
    return Reading(
        track_id=track_id if isinstance(track_id, str | int) and not isinstance(track_id, bool) else None,
        bpm=bpm,
        key=key,
        energy=energy,
        artist=_name(track.get("artist")),
        record=_name(track.get("release_id")) or _name(track.get("album")),
        duration_seconds=duration,
        genres=frozenset(
            _names(track.get("genres")) + _names(track.get("styles")) + _names(track.get("genre"))
        ),
        label=_name(track.get("label")),
        embedding=_embedding(track),
        problems=tuple(problems),
    )


def _absent(value: Any) -> bool:
    return value is None or value == ""


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        try:
            value = float(value.strip().replace(",", ".").lower().removesuffix("bpm"))
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _name(value: Any) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    return " ".join(value.casefold().split()) or None


def _names(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [name for name in (_name(item) for item in values) if name]


def _embedding(track: Mapping[str, Any]) -> tuple[float, ...] | None:
    """The vector at length 1000 in whole numbers: sums of their products are exact in any order."""
    raw = track.get("embedding")
    if raw is None and isinstance(vectors := track.get("_vectors"), Mapping):
        raw = vectors.get("default")
        if isinstance(raw, Mapping):
            raw = raw.get("embeddings")
    if not isinstance(raw, list) or not 0 < len(raw) <= 4096:
        return None
    numbers = [_number(item) if not isinstance(item, str) else None for item in raw]
    clean = [number for number in numbers if number is not None and abs(number) < 1e100]
    length = math.sqrt(math.fsum(number * number for number in clean))
    if len(clean) != len(raw) or length < 1e-100:
        return None
    return tuple(float(math.floor(number / length * _EMBEDDING_SCALE + 0.5)) for number in clean)
