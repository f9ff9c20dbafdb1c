"""What an answer is worth beside the truth."""

import numpy as np
from numpy.typing import NDArray

from dj_contracts.keys import Key, Mode

Times = NDArray[np.float64]
_BEAT_SECONDS = 0.07
_OCTAVES = (1 / 3, 1 / 2, 1.0, 2.0, 3.0)


def near(bpm: float | None, truth: float, tolerance: float = 0.04) -> bool:
    return bpm is not None and abs(bpm / truth - 1) <= tolerance


def near_an_octave(bpm: float | None, truth: float) -> bool:
    return any(near(bpm, truth * ratio) for ratio in _OCTAVES)


def f_measure(found: Times, truth: Times) -> float:
    """Each true time may be found once, 70 ms early or late."""
    hits = first = second = 0
    while first < len(truth) and second < len(found):
        apart = found[second] - truth[first]
        if abs(apart) <= _BEAT_SECONDS:
            hits, first, second = hits + 1, first + 1, second + 1
        elif apart < 0:
            second += 1
        else:
            first += 1
    return 2 * hits / max(1, len(found) + len(truth))


def mirex(found: Key | None, truth: Key) -> float:
    """1 for the key, .5 a fifth away, .3 for the relative and .2 for the parallel key."""
    if found is None:
        return 0.0
    if found == truth:
        return 1.0
    apart = (found.tonic - truth.tonic) % 12
    if found.mode == truth.mode:
        return 0.5 if apart in (5, 7) else 0.0
    if apart == 0:
        return 0.2
    return 0.3 if apart == (9 if truth.mode is Mode.MAJOR else 3) else 0.0
