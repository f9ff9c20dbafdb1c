"""How well two tracks go together, out of sound, text, tempo and key."""

import math

from dj_contracts.keys import Key
from gateway_api.features.similar.models import Parts, Weights

# What a pitch fader reaches without harm: beyond it two tempi do not meet.
_FARTHEST_TEMPO = 0.08
_HALF_OR_DOUBLE = 0.8
_SAME_MODE = {0: 1.0, 1: 0.8, 2: 0.3}
_OTHER_MODE = {0: 0.8, 1: 0.3}


def tempo_closeness(one: float | None, other: float | None) -> float | None:
    """1 at the same tempo, 0 at 8 % off; half and double count for 0.8 of it."""
    if not one or not other:
        return None
    octaves = math.log2(other / one)
    nearest = round(octaves)
    if abs(nearest) > 1:
        return 0.0
    off = abs(2 ** (octaves - nearest) - 1)
    return max(0.0, 1 - off / _FARTHEST_TEMPO) * (_HALF_OR_DOUBLE if nearest else 1.0)


def key_closeness(one: str | None, other: str | None) -> float | None:
    """1 in the same key, 0.8 for a fifth away or the relative, 0.3 one step further, else 0."""
    if one is None or other is None:
        return None
    first, second = Key.parse(one), Key.parse(other)
    steps = abs(first.fifths - second.fifths)
    steps = min(steps, 12 - steps)
    return (_SAME_MODE if first.mode is second.mode else _OTHER_MODE).get(steps, 0.0)


def score(parts: Parts, weights: Weights) -> float:
    """The weighted mean of what is known."""
    known = [
        (value, weight)
        for name, weight in weights.model_dump().items()
        if (value := getattr(parts, name)) is not None
    ]
    total = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / total if total else 0.0


def reason(parts: Parts) -> str:
    """What speaks for the pair, in a line."""
    said = [
        words
        for value, floor, words in (
            (parts.sound, 0.8, "sounds alike"),
            (parts.text, 0.5, "is described alike"),
            (parts.tempo, 0.5, "is in tempo"),
            (parts.key, 0.8, "is in key"),
        )
        if value is not None and value >= floor
    ]
    text = ", ".join(said) or "has little in common, and is the nearest there is"
    return text[0].upper() + text[1:] + "."
