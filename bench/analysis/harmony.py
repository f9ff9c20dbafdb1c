"""Harmony for made-up pieces: the chords, basses and tunes of many kinds of music, drawn anew for each piece.

A progression is Roman numerals on the major scale's degrees: large is major, small is minor, ``b`` a semitone
lower, ``°`` diminished, ``7`` with its small and ``M7`` with its large seventh, ``s4`` and ``s2`` suspended.
"""

import re
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from dj_contracts.keys import Key, Mode

_T = TypeVar("_T")
Chord = tuple[int, ...]  # semitones above the tonic, the root first

_IDIOMS = {
    Mode.MAJOR: (
        "I V vi IV", "I vi IV V", "I IV V IV", "I IV V V", "I I IV V", "I V IV V", "I IV I V", "vi IV I V",
        "IV I V vi", "I iii IV V", "I V vi iii IV I IV V", "I IV vi V", "ii V I I", "ii7 V7 IM7 vi7",
        "IM7 IVM7", "IM7 vi7 ii7 V7", "IM7 ii7", "I bVII IV I", "I bVII IV IV", "I bVII", "I7 IV7", "I7", "I",
        "I7 I7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 V7", "I IV", "I V", "I ii", "I II IV I", "I III IV iv",
        "I IV iv I", "I bIII IV I", "I bVI bVII I", "I bIII bVII IV", "IV V iii vi", "IV V I vi",
        "IVM7 V iii7 vi7", "I V7 I V7", "I I V I", "I VI7 II7 V7", "IV IV I I", "I Is4 I Is4", "I V ii IV",
        "I iii vi IV", "IM7 iii7 IVM7 iv", "I I I I IV IV I I V V I I", "I ii IV V", "I vi ii V", "I IV V I",
        "I I7 IV iv", "iii7 vi7 ii7 V7 IM7 IM7", "I V I IV", "IM7 bVIIM7", "I7 bVII7", "I IV I I",
    ),
    Mode.MINOR: (
        "i bVI bIII bVII", "i bVII bVI bVII", "i bVI bVII bVII", "i bVI iv V", "i iv v i", "i iv V i",
        "i bVII bVI V", "bVI bVII i i", "i bVII bIII bVI", "i v bVI iv", "i i iv v", "i", "i7", "i i i bVII",
        "i bII", "i bII i bVII", "i7 iv7", "i7 IV7", "i IV", "i bIII IV bVI", "iv bVI i bVII",
        "bVI bVII i bIII", "i bVI", "i bVII", "i v", "ii°7 V7 i7 i7", "iv7 bVII7 bIIIM7 bVIM7 ii°7 V7 i7 i7",
        "i bVI bIII V", "i bIII iv bVI", "i7 biii7 iv7 bvii7", "i7 bvi7",
        "i7 i7 i7 i7 iv7 iv7 i7 i7 bVI7 V7 i7 V7", "i i bVI bVI", "i i bVI bVII", "i i i i", "i iv",
        "i iv bVI V", "i iv bVII bIII", "i7 bVIM7", "i V i V", "i iv i V", "i bVII i bVI", "i bIII bVII IV",
        "i v iv i", "i i iv i", "i V bVI iv", "i bVI i V", "bVI i bVII i", "i bVII v bVI", "iv i V i",
        "i7 ii7", "i bIII bVI V", "i i7 iv bVII", "is2 bVI is2 bVII",
    ),
}  # fmt: skip
_ROMAN = {"i": 0, "ii": 2, "iii": 4, "iv": 5, "v": 7, "vi": 9, "vii": 11}
_NUMERAL = re.compile(r"(b?)([iIvV]+)(°?)(M7|7|s4|s2)?")
_SCALES = {
    Mode.MAJOR: (
        ((0, 2, 4, 5, 7, 9, 11), 5.0), ((0, 2, 4, 5, 7, 9, 10), 1.5), ((0, 2, 4, 7, 9), 2.0),
        ((0, 2, 4, 6, 7, 9, 11), 0.4), ((0, 3, 4, 5, 7, 10), 0.8),
    ),
    Mode.MINOR: (
        ((0, 2, 3, 5, 7, 8, 10), 5.0), ((0, 2, 3, 5, 7, 9, 10), 1.5), ((0, 3, 5, 7, 10), 2.5),
        ((0, 2, 3, 5, 7, 8, 11), 1.2), ((0, 1, 3, 5, 7, 8, 10), 0.8), ((0, 3, 5, 6, 7, 10), 0.7),
    ),
}  # fmt: skip
_VOICINGS = ("whole", "whole", "whole", "whole", "seventh", "ninth", "power", "root", "third")
_BASSES = ("root", "root", "root", "fifth", "octave", "chord", "walk", "pedal", "riff")


class WideHarmony:
    """What each part plays at a time of a piece."""

    def __init__(self, key: Key, rng: np.random.Generator) -> None:
        self._tonic, self._mode = key.tonic, key.mode
        self._ends_at_home = rng.random() < 0.5
        self._bars_a_chord = float(rng.choice([0.5, 1, 1, 1, 1, 2, 2, 4]))
        self._verse = _progression(rng, key.mode)
        self._chorus = _progression(rng, key.mode) if rng.random() < 0.3 else self._verse
        scales, weights = zip(*_SCALES[key.mode], strict=True)
        self._scale = scales[int(rng.choice(len(scales), p=np.array(weights) / sum(weights)))]
        self._voicing, self._bass = pick(rng, _VOICINGS), pick(rng, _BASSES)
        self._closed = rng.random() < 0.5
        self._lowest = int(rng.integers(45, 58))
        self._melody = rng.random(32)
        self._fondness = float(rng.uniform(1, 6))  # of the tune for the chord's own notes
        self._home = float(rng.uniform(1, 3))

    def pitches(self, letter: str, bar: float, index: int, *, last: bool) -> list[int]:
        chords = self._chorus if int(bar) // 8 % 2 else self._verse
        chord = chords[int(bar / self._bars_a_chord) % len(chords)]
        if last and self._ends_at_home:
            chord = (0, 4 if self._mode is Mode.MAJOR else 3, 7)
        if letter == "b":
            lowest = 36 if self._tonic < 7 else 24
            return [lowest + self._tonic + self._low(chord, index)]
        if letter == "c":
            notes = [self._tonic + note for note in self._voiced(chord)]
            if self._closed:
                return [self._lowest + (note - self._lowest) % 12 for note in notes]
            return [48 + note for note in notes]
        return [60 + self._tonic + self._tune(chord, index)]

    def _low(self, chord: Chord, index: int) -> int:
        root, turn = chord[0], index % 8
        ways: dict[str, int] = {
            "root": root,
            "fifth": root + (7 if turn % 4 == 3 else 0),
            "octave": root + 12 * (turn % 2),
            "chord": chord[(0, 0, 2, 1)[turn % 4]],
            "walk": (root, chord[1], chord[2], root + 9, root, chord[2], chord[1], root + 11)[turn],
            "pedal": 0,
            "riff": (root, root, root + 12, root + 10, root + 7, chord[1], root + 5, root)[turn],
        }
        return ways[self._bass]

    def _voiced(self, chord: Chord) -> Sequence[int]:
        root = chord[0]
        in_scale = [root + step for step in (10, 11) if (root + step) % 12 in self._scale]
        return {
            "whole": chord,
            "seventh": (*chord[:3], *in_scale[:1]),
            "ninth": (*chord[:3], *in_scale[:1], root + 14),
            "power": (root, chord[2], root + 12),
            "root": (root, root + 12),
            "third": chord[:2],
        }[self._voicing]

    def _tune(self, chord: Chord, index: int) -> int:
        notes = sorted({*self._scale, *(note % 12 for note in chord)})
        own = {note % 12 for note in chord}
        weights = np.array(
            [(self._fondness if note in own else 1.0) * (self._home if note == 0 else 1.0) for note in notes]
        )
        drawn = float(self._melody[index % 32]) * weights.sum()
        return int(notes[min(int(np.searchsorted(np.cumsum(weights), drawn)), len(notes) - 1)])


def _progression(rng: np.random.Generator, mode: Mode) -> list[Chord]:
    """Mostly as it is known, now and then begun elsewhere."""
    chords = [_chord(word) for word in pick(rng, _IDIOMS[mode]).split()]
    turn = int(rng.integers(len(chords))) if rng.random() < 0.12 else 0
    return chords[turn:] + chords[:turn]


def _chord(word: str) -> Chord:
    found = _NUMERAL.fullmatch(word)
    assert found is not None
    flat, roman, diminished, added = found.groups()
    root = (_ROMAN[roman.lower()] - bool(flat)) % 12
    third = {"s4": 5, "s2": 2}.get(added, 4 if roman.isupper() else 3)
    seventh = {"7": (10,), "M7": (11,)}.get(added, ())
    return (root, root + third, root + (6 if diminished else 7), *(root + step for step in seventh))


def pick(rng: np.random.Generator, options: Sequence[_T]) -> _T:
    return options[int(rng.integers(len(options)))]
