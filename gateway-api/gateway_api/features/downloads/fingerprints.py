"""How alike two recordings sound, from Chromaprint's items: bits that differ at the best alignment.

Figures to compare with: two encodings of one recording differ in a few per cent of the bits, unrelated
ones in about half.
"""

import sys
from array import array
from collections import Counter
from collections.abc import Sequence

# The least stable bits of an item are left out of its key.
_KEY_SHIFT = 6
# Of each recording so many keys are in the index, chosen by a hash of their own: two encodings of one
# recording choose mostly the same ones, wherever in the recording they lie.
_KEYS_INDEXED = 64
_HASH = 2654435761
# A steady tone has a handful of items and sounds like every other one; that proves nothing.
_LEAST_DIFFERENT_ITEMS = 24
_LEAST_OVERLAP_ITEMS = 60
_LEAST_OVERLAP_SHARE = 0.7
_ALIGNMENTS_TRIED = 3
SAME_AT_LEAST = 0.7
_BITS = 32


def keys_of(items: Sequence[int]) -> list[int]:
    """By which a recording is found among others, or none when it has too little to tell it by."""
    keys = {item >> _KEY_SHIFT for item in items}
    if len(keys) < _LEAST_DIFFERENT_ITEMS:
        return []
    return sorted(keys, key=lambda key: key * _HASH % 2**32)[:_KEYS_INDEXED]


def length_slack_seconds(duration_seconds: float) -> float:
    """The same recording plays as long, but for silence at its ends."""
    return max(5.0, 0.02 * duration_seconds)


def similarity(one: Sequence[int], other: Sequence[int]) -> float:
    """1 for the same items, about 0 for unrelated ones."""
    best = 0.0
    for shift in _best_shifts(one, other):
        mine, theirs = (one[shift:], other) if shift >= 0 else (one, other[-shift:])
        overlap = min(len(mine), len(theirs))
        if overlap < max(_LEAST_OVERLAP_ITEMS, _LEAST_OVERLAP_SHARE * min(len(one), len(other))):
            continue
        different = sum((a ^ b).bit_count() for a, b in zip(mine, theirs, strict=False))
        best = max(best, 1 - 2 * different / (overlap * _BITS))
    return best


def pack(items: Sequence[int]) -> bytes:
    packed = array("I", items)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def unpack(content: bytes) -> Sequence[int]:
    items = array("I")
    items.frombytes(content)
    if sys.byteorder == "big":
        items.byteswap()
    return items


def _best_shifts(one: Sequence[int], other: Sequence[int]) -> list[int]:
    """Where most of the items that both have lie the same distance apart."""
    places: dict[int, list[int]] = {}
    for place, item in enumerate(other):
        places.setdefault(item >> _KEY_SHIFT, []).append(place)
    shifts = Counter(
        place - there for place, item in enumerate(one) for there in places.get(item >> _KEY_SHIFT, ())
    )
    return [shift for shift, _ in shifts.most_common(_ALIGNMENTS_TRIED)]
