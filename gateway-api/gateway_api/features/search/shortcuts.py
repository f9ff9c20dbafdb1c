"""``field:value`` inside a search text: ``bpm:120-126 key:8A~ genre:"drum & bass" house``.

What is no shortcut stays text, so "Re: Stacks" and "AC:DC" are searched as they are typed. A known
field with a value that makes no sense is refused with what it takes, for an answer that passed over
it would be a wrong one.
"""

import math
import re
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from dj_servicekit.errors import Malformed
from gateway_api.features.tracks.filters import TrackFilter

_SHORTCUT = re.compile(r'(?<!\S)(?P<name>[A-Za-z_]+):(?P<value>"[^"]*"|[^\s"]+(?:"[^"]*")?)(?!\S)')
_NUMBER = r"\d+(?:\.\d+)?"
_RANGE = re.compile(rf"(?P<low>{_NUMBER})?(?:-|\.\.)(?P<high>{_NUMBER})?")
_BOUND = re.compile(rf"(?P<sign>[<>]=?)(?P<number>{_NUMBER})|(?P<least>{_NUMBER})\+")
_DECADE = re.compile(r"(?P<first>\d{3}0)s")

# field -> how far from a single number still counts as it, and what the field can be
_FRACTIONS = {
    "bpm": (0.5, 0, 1000),
    "energy": (0.5, 1, 10),
    "danceability": (0.05, 0, 1),
    "mood_happy": (0.05, 0, 1),
    "mood_sad": (0.05, 0, 1),
    "mood_relaxed": (0.05, 0, 1),
    "mood_aggressive": (0.05, 0, 1),
}
_WHOLE = ("rating", "year")
_LISTS = ("genre", "style", "tag", "artist", "album", "shelf", "owner")
_ALIASES = {
    "tempo": "bpm",
    "stars": "rating",
    "dance": "danceability",
    "happy": "mood_happy",
    "sad": "mood_sad",
    "relaxed": "mood_relaxed",
    "aggressive": "mood_aggressive",
    "label": "shelf",
}
_SAYINGS = {
    "has:audio": ("has_audio", True),
    "no:audio": ("has_audio", False),
    "is:analyzed": ("analyzed", True),
    "is:analysed": ("analyzed", True),
    "not:analyzed": ("analyzed", False),
    "not:analysed": ("analyzed", False),
}
# field -> what it takes, {0} being the name as it was typed
_SHARE = "{0}:0.8, {0}:0.5-1 or {0}:>0.5, from 0 to 1"
_SINCE = "{0}:2026-01-31, {0}:30d, {0}:6w, {0}:3m or {0}:2y"
_SAID = "has:audio, no:audio, is:analyzed or not:analyzed"
_TAKES = {
    **dict.fromkeys(_FRACTIONS, _SHARE),
    **dict.fromkeys(_LISTS, '{0}:name or {0}:"a longer name"'),
    **dict.fromkeys(("has", "no", "is", "not"), _SAID),
    **dict.fromkeys(("added", "played", "unplayed"), _SINCE),
    "bpm": "{0}:128, {0}:120-126, {0}:120-, {0}:<126 or, for half and double too, {0}:62~",
    "energy": "{0}:7, {0}:6-8 or {0}:>5, from 1 to 10",
    "rating": "{0}:4, {0}:3-5 or {0}:4+, from 0 to 5",
    "year": "{0}:1994, {0}:1990-1999, {0}:1990s or {0}:>2000",
    "key": "{0}:8A, {0}:Am or, for what mixes with it, {0}:8A~",
    "playlist": "{0}:3, the number of a playlist",
}


def read_shortcuts(text: str) -> tuple[str, TrackFilter]:
    """The words that are left to search for, and what the shortcuts among them ask."""
    fields: dict[str, Any] = {}

    def take(match: re.Match[str]) -> str:
        written = match["name"].lower()
        name = _ALIASES.get(written, written)
        read = _READERS.get(name)
        if read is None:
            return match[0]
        takes = _TAKES[name].format(written)
        unreadable = f"{match[0]} cannot be read. Write {takes}; or leave out the colon to search for words."
        try:
            for field, found in read(name, match["value"]).items():
                fields[field] = (
                    fields[field] + found if isinstance(found, list) and field in fields else found
                )
            TrackFilter.model_validate(fields)
        except ValidationError as exc:
            error = exc.errors()[0]
            message = str(error["msg"]).removeprefix("Value error, ")
            own = error["type"] == "value_error"
            raise Malformed(f"{match[0]}: {message}" if own else unreadable) from exc
        except ValueError as exc:
            raise Malformed(unreadable) from exc
        return ""

    words = _SHORTCUT.sub(take, text)
    return " ".join(words.split()), TrackFilter.model_validate(fields)


def _number_range(value: str, step: Callable[[float, int], float], spread: float) -> tuple[Any, Any]:
    if (match := _RANGE.fullmatch(value)) and (match["low"] or match["high"]):
        low, high = match.group("low", "high")
        return float(low) if low else None, float(high) if high else None
    if match := _BOUND.fullmatch(value):
        if match["least"]:
            return float(match["least"]), None
        number = float(match["number"])
        if match["sign"].startswith(">"):
            return (number if match["sign"] == ">=" else step(number, 1)), None
        return None, (number if match["sign"] == "<=" else step(number, -1))
    if re.fullmatch(_NUMBER, value):
        return round(float(value) - spread, 6), round(float(value) + spread, 6)
    raise ValueError(value)


def _fraction(name: str, value: str) -> dict[str, Any]:
    half_double = name == "bpm" and value.endswith("~")
    spread, least, most = _FRACTIONS[name]
    low, high = _number_range(
        value.removesuffix("~") if half_double else value,
        lambda number, way: math.nextafter(number, way * math.inf),
        spread,
    )
    if re.fullmatch(_NUMBER, value.removesuffix("~")):  # the neighbourhood ends where the field does
        low, high = max(low, min(least, float(value.removesuffix("~")))), min(high, most)
    found = {f"{name}_min": low, f"{name}_max": high}
    return found | ({"half_double": True} if half_double else {})


def _whole(name: str, value: str) -> dict[str, Any]:
    if name == "year" and (match := _DECADE.fullmatch(value)):
        first = int(match["first"])
        return {"year_min": first, "year_max": first + 9}
    low, high = _number_range(value, lambda number, way: number + way, 0)
    return {f"{name}_min": low, f"{name}_max": high}


def _list(name: str, value: str) -> dict[str, Any]:
    parts = [value.strip('"')] if value.startswith('"') else value.split(",")
    if not (named := [part for part in parts if part.strip()]):
        raise ValueError(value)
    return {name: named}


def _key(_name: str, value: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in value.strip('"').split(","):
        field = "key_compatible" if part.endswith("~") else "key"
        found.setdefault(field, []).append(part.removesuffix("~"))
    return found


def _saying(name: str, value: str) -> dict[str, Any]:
    if (said := _SAYINGS.get(f"{name}:{value.lower()}")) is None:
        raise ValueError(value)
    return {said[0]: said[1]}


_READERS: dict[str, Callable[[str, str], dict[str, Any]]] = {
    **dict.fromkeys(_FRACTIONS, _fraction),
    **dict.fromkeys(_WHOLE, _whole),
    **dict.fromkeys(_LISTS, _list),
    **dict.fromkeys(("has", "no", "is", "not"), _saying),
    "key": _key,
    "added": lambda _name, value: {"added_since": value},
    "played": lambda _name, value: {"played_since": value},
    "unplayed": lambda _name, value: {"not_played_since": value},
    "playlist": lambda _name, value: {"playlist": value},
}
