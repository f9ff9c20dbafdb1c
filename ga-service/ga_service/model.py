"""What a good transition is, in plain words and whole numbers. Nothing else in the service decides this.

A transition from one track to the next has five parts, each judged from 0 (a train wreck) to 1000
(nobody hears the seam), and their weighted mean is the score of the transition:

* **key** - by the move on the key wheel (``SAME_MODE``, ``MINOR_TO_MAJOR``). The same key is best,
  then one step round the wheel (a fifth), then the relative key, then the diagonal. Two steps up, or
  seven (a semitone up), are energy boosts: bold, usable, and better upwards than downwards. The rest
  clash, the tritone worst.
  A key is compared by value, so its spelling can never earn or lose anything. With key lock (the usual
  case) keys are heard as they are; without it the fader shifts the next track's key by the nearest
  number of semitones (``heard_key``), and it is that key which counts.
* **tempo** - by what the DJ must do with the pitch fader (``TEMPO_KNEES``), in per cent of the slower
  tempo. Up to 1 % nobody hears; up to 3 % is comfortable; 6 % is the end of comfort and the knee;
  past 16 % there is nothing to match. Half and double tempo count as the same beat, at a small price.
* **energy** - by the size of the step between the two energies, when no curve is asked for.
* **sound** - by the cosine of the two embeddings, when there are any.
* **variety** - the same artist twice running is dull, the same record twice is awkward on vinyl.

Missing data is normal. A part that cannot be judged counts as ``NEUTRAL``: better than a clash,
worse than a match, so that an unknown track neither attracts nor repels. A part that no track of
the request has (say, embeddings) is left out of the mean.

Only additions, multiplications and divisions that IEEE 754 defines to the last bit are used, and each
result is rounded to a whole number at once, so that every machine computes the same costs.
"""

import bisect
import itertools
import math
from dataclasses import dataclass, fields
from typing import NamedTuple

from dj_contracts.keys import Key

FULL = 1000
PARTS = ("key", "tempo", "energy", "sound", "variety")

# Steps up the wheel, 0 to 11, between two keys of one mode: 8A to 8A, 9A, 10A, ...
SAME_MODE = (1000, 940, 560, 250, 100, 250, 0, 500, 100, 200, 480, 940)
# ... and from minor to the major at that step: 8A to 8B (relative), 9B (diagonal), ..., 11B (parallel), ...
MINOR_TO_MAJOR = (920, 680, 300, 480, 150, 100, 0, 100, 150, 150, 300, 680)
MAJOR_TO_MINOR = (920, 680, 300, 150, 150, 100, 0, 100, 150, 480, 300, 680)

# (fader change in per cent, score), straight lines between.
TEMPO_KNEES = ((0.0, 1000), (1.0, 1000), (3.0, 940), (6.0, 740), (8.0, 250), (16.0, 0))
HALF_OR_DOUBLE_COST = 80
COMFORTABLE_PITCH_PERCENT = 6.0
FACTORS = (1.0, 0.5, 2.0)

# (size of the energy step on the scale 0-1, score)
ENERGY_KNEES = ((0.0, 1000), (0.1, 1000), (0.3, 700), (0.6, 200), (1.0, 0))

SAME_ARTIST = 350
SAME_RECORD = 200
SAME_BOTH = 0

NEUTRAL = {"key": 500, "tempo": 450, "energy": 750, "sound": 500, "variety": 1000}

SLOWEST_BPM, FASTEST_BPM = 20.0, 400.0

# The tempo ratios past which a track without key lock is heard one semitone higher than before.
_SEMITONE, _HALF_A_SEMITONE = 1.0594630943592953, 1.029302236643492
SHIFT_BOUNDS = tuple(
    itertools.accumulate([_SEMITONE] * 47, lambda bound, step: bound * step, initial=_HALF_A_SEMITONE)
)


@dataclass(frozen=True)
class Weights:
    """How much each part counts, in whole numbers; only their ratios matter."""

    key: int = 560
    tempo: int = 310
    energy: int = 80
    sound: int = 120
    variety: int = 60

    def of(self, part: str) -> int:
        return int(getattr(self, part))

    def total(self) -> int:
        return sum(self.of(field.name) for field in fields(self))


class TempoMove(NamedTuple):
    """What the DJ does to bring the next track to the tempo of this one."""

    ratio: float
    factor: float  # 1, 2 (the next counts double) or 0.5

    @property
    def change_percent(self) -> float:
        return (self.ratio - 1.0) * 100.0


def key_score(a: Key, b: Key, table: dict[tuple[str, str, int], int] | None = None) -> int:
    steps = (b.fifths - a.fifths) % 12
    if table is not None and (a.mode, b.mode, steps) in table:
        return table[a.mode, b.mode, steps]
    if a.mode == b.mode:
        return SAME_MODE[steps]
    return (MINOR_TO_MAJOR if a.mode == "minor" else MAJOR_TO_MINOR)[steps]


def is_compatible(a: Key, b: Key) -> bool:
    """The plain harmonic rule: same key, one step round the wheel, or the relative key."""
    steps = (b.fifths - a.fifths) % 12
    return steps in (0, 1, 11) if a.mode == b.mode else steps == 0


def tempo_move(a: float, b: float) -> TempoMove:
    """The smallest fader change that brings b (or its half or double) to a."""
    moves = [TempoMove(a / (b * factor), factor) for factor in FACTORS]
    return min(moves, key=lambda move: (fader_percent(a, b * move.factor), move.factor != 1.0))


def heard_key(key: Key, ratio: float) -> Key:
    """The key that a track has when the fader plays it so much faster, without key lock."""
    up = bisect.bisect_left(SHIFT_BOUNDS, ratio)
    return key.transposed(up - bisect.bisect_left(SHIFT_BOUNDS, 1.0 / ratio))


def fader_percent(a: float, b: float) -> float:
    """The change in per cent of the slower tempo, the same in both directions."""
    return ((a if a > b else b) / (b if a > b else a) - 1.0) * 100.0


def tempo_score(a: float, b: float) -> int:
    straight = on_knees(fader_percent(a, b), TEMPO_KNEES)
    folded = max(
        on_knees(fader_percent(a, b * 2.0), TEMPO_KNEES), on_knees(fader_percent(a, b / 2.0), TEMPO_KNEES)
    )
    return max(straight, folded - HALF_OR_DOUBLE_COST, 0)


def energy_score(a: float, b: float) -> int:
    return on_knees(abs(a - b), ENERGY_KNEES)


def on_knees(x: float, knees: tuple[tuple[float, int], ...]) -> int:
    """The height at x of straight lines through the knees, rounded to a whole number."""
    for (x0, y0), (x1, y1) in itertools.pairwise(knees):
        if x <= x1:
            return math.floor(y0 + (y1 - y0) * (x - x0) / (x1 - x0) + 0.5)
    return knees[-1][1]


def variety_score(*, same_artist: bool, same_record: bool) -> int:
    if same_artist and same_record:
        return SAME_BOTH
    if same_record:
        return SAME_RECORD
    return SAME_ARTIST if same_artist else FULL


_STEP_WORDS = {
    0: "same key",
    1: "up a fifth",
    11: "down a fifth",
    2: "up a whole tone (energy boost)",
    10: "down a whole tone",
    7: "up a semitone (energy boost)",
    5: "down a semitone",
    6: "tritone clash",
    9: "up a minor third, a clash",
    3: "down a minor third, a clash",
    4: "up a major third, a clash",
    8: "down a major third, a clash",
}


def key_move_words(a: Key, b: Key) -> str:
    """The move as a DJ would say it: "8A to 9A: up a fifth"."""
    steps = (b.fifths - a.fifths) % 12
    if a.mode == b.mode:
        words = _STEP_WORDS[steps]
    elif steps == 0:
        words = f"relative {b.mode}"
    elif a.tonic == b.tonic:
        words = f"parallel {b.mode}"
    elif steps in (1, 11):
        words = f"diagonal {'up' if steps == 1 else 'down'} to {b.mode}"
    else:
        words = f"clash with a change to {b.mode}"
    return f"{a.camelot} to {b.camelot}: {words}"


# Worked examples: the tests hold the model to them, and a reader can check them with a pocket calculator.
KEY_EXAMPLES = (
    ("8A", "8A", 1000, "8A to 8A: same key"),
    ("A minor", "Em", 940, "8A to 9A: up a fifth"),
    ("8A", "7A", 940, "8A to 7A: down a fifth"),
    ("Am", "C", 920, "8A to 8B: relative major"),
    ("C", "Am", 920, "8B to 8A: relative minor"),
    ("8A", "9B", 680, "8A to 9B: diagonal up to major"),
    ("8A", "10A", 560, "8A to 10A: up a whole tone (energy boost)"),
    ("8A", "6A", 480, "8A to 6A: down a whole tone"),
    ("Am", "Bbm", 500, "8A to 3A: up a semitone (energy boost)"),
    ("8A", "1A", 250, "8A to 1A: down a semitone"),
    ("Am", "A", 480, "8A to 11B: parallel major"),
    ("8A", "2A", 0, "8A to 2A: tritone clash"),
)
TEMPO_EXAMPLES = (  # this tempo, next tempo, score, what the fader does to the next track in per cent
    (128.0, 128.0, 1000, 0.0),
    (125.0, 126.25, 1000, -1.0),
    (100.0, 103.0, 940, -2.9),
    (100.0, 106.0, 740, -5.7),
    (100.0, 108.0, 250, -7.4),
    (100.0, 116.0, 0, -13.8),
    (140.0, 70.0, 920, 0.0),
    (87.0, 174.0, 920, 0.0),
)
SHIFT_EXAMPLES = (  # key, how much faster it plays, what is heard without key lock
    ("Am", 1.0, "Am"),
    ("Am", 1.029, "Am"),
    ("Am", 1.06, "Bbm"),
    ("C", 0.943, "B"),
    ("8A", 1.12, "10A"),
)
ENERGY_EXAMPLES = ((0.5, 0.5, 1000), (0.5, 0.6, 1000), (0.5, 0.8, 700), (0.9, 0.3, 200), (0.0, 1.0, 0))
