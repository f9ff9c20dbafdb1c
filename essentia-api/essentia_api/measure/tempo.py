"""Tempo and beats: Essentia finds the beats, and a straight line through them gives the decimals.

The tracker places each beat on a grid of its own frames, so the gap between two neighbours is only
good to about one per cent. A line through all of them averages that out.
"""

from dataclasses import dataclass

import numpy as np
from essentia import standard as es
from numpy.typing import NDArray

from dj_contracts.analysis import Tempo
from essentia_api.decode import Samples

_FEWEST_BEATS = 8
_NEAR = 0.12  # of a beat: further from the line than this, a beat was misplaced
_STEADY_SHARE = 0.9
_LEAST_SHARE = 0.5


@dataclass(frozen=True)
class Rhythm:
    tempo: Tempo
    beats: list[float]
    downbeats: list[float]


@dataclass(frozen=True)
class Line:
    """Beat ``n`` is at ``start + n * period``; ``share`` of the beats found lie near it."""

    start: float
    period: float
    share: float


def measure_rhythm(samples: Samples) -> Rhythm:
    beats = np.asarray(es.BeatTrackerDegara()(samples), dtype=np.float64)
    if len(beats) < _FEWEST_BEATS:
        return Rhythm(Tempo(), [], [])
    gaps = np.diff(beats)
    usual = float(np.median(gaps))
    regular = float(np.mean(np.abs(gaps - usual) < _NEAR * usual))
    if regular < _LEAST_SHARE:
        return Rhythm(Tempo(), [], [])
    line = fit_line(beats)
    stable = line.share > _STEADY_SHARE
    period = line.period if stable else usual
    tempo = Tempo(bpm=round(60 / period, 2), confidence=round(min(regular, 1.0), 3), stable=stable)
    return Rhythm(tempo, [round(float(beat), 4) for beat in beats], [])


def fit_line(beats: NDArray[np.float64]) -> Line:
    """The line through most of the beats, fitted again without those that lie off it."""
    period = float(np.median(np.diff(beats)))
    numbers = np.concatenate([[0.0], np.cumsum(np.maximum(1, np.round(np.diff(beats) / period)))])
    near = np.ones(len(beats), dtype=bool)
    start = float(beats[0])
    for _ in range(4):
        period, start = (float(value) for value in np.polyfit(numbers[near], beats[near], 1))
        near = np.abs(beats - start - numbers * period) < _NEAR * period
        if np.count_nonzero(near) < _FEWEST_BEATS:
            return Line(start, period, 0.0)
        # A beat counted twice or left out shifts all that follow it; counting from the line mends that.
        numbers = np.round((beats - start) / period)
    return Line(start, period, float(np.mean(near)))
