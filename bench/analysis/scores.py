"""What an answer is worth beside the truth."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from dj_contracts.keys import Key, Mode

Times = NDArray[np.float64]
Span = tuple[float, float, float]  # from when to when how much
_BEAT_SECONDS = 0.07
_PLAINLY_MORE = 2  # layers
_TIE = 1e-6
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


def fuller_parts(parts: Sequence[tuple[float, float, str]], spans: Sequence[Span]) -> Iterator[float]:
    """Of two parts of which one plays all that the other does and plainly more, whether it has more; a tie is
    half right."""
    for (first, last, more), (start, end, less) in itertools.permutations(parts, 2):
        if set(more) > set(less) and len(more) >= len(less) + _PLAINLY_MORE:
            fuller, thinner = mean_over(first, last, spans), mean_over(start, end, spans)
            yield 0.5 if abs(fuller - thinner) < _TIE else float(fuller > thinner)


def mean_over(start: float, end: float, spans: Sequence[Span]) -> float:
    overlaps = [max(0.0, min(end, last) - max(start, first)) for first, last, _ in spans]
    return float(np.dot(overlaps, [worth for *_, worth in spans]) / max(sum(overlaps), 1e-9))
