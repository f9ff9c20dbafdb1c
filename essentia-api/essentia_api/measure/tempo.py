"""Tempo and beats: Essentia's Degara tracker, and the even grid that its beats lie on."""

from dataclasses import dataclass

import numpy as np
from essentia import standard as es
from numpy.typing import NDArray

from dj_contracts.analysis import Tempo
from essentia_api.decode import SAMPLE_RATE, Samples
from essentia_api.measure.pulse import rank_related

Beats = NDArray[np.float64]

_FEWEST_BEATS = 6
_LINE_ROUNDS = 6
_NEAR_SHARE = 0.08  # of a beat: 40 ms at 120 BPM, four frames of the tracker
_LEAST_REGULAR = 0.5  # white noise reaches .4
_STABLE = 0.85


@dataclass(frozen=True)
class Rhythm:
    tempo: Tempo
    beats: list[float]
    downbeats: list[float]


def measure_rhythm(samples: Samples) -> Rhythm:
    ticks = es.BeatTrackerDegara()(samples).astype(np.float64)
    if len(ticks) < _FEWEST_BEATS:
        return Rhythm(Tempo(), [], [])
    first, period, on_line = _robust_line(ticks)
    regular = float(np.mean(on_line))
    if regular < _LEAST_REGULAR:
        return Rhythm(Tempo(), [], [])
    stable = regular >= _STABLE
    if stable:
        count = int((len(samples) / SAMPLE_RATE - first) / period) + 1
        beats = first + period * np.arange(count)
    else:
        beats, period = ticks, float(np.median(np.diff(ticks)))
    bpm = 60 / period
    tempo = Tempo(
        bpm=round(bpm, 2),
        confidence=round(regular, 3),
        stable=stable,
        candidates=rank_related(samples, bpm),
    )
    return Rhythm(tempo, [round(float(beat), 4) for beat in beats], [])


def _robust_line(ticks: Beats) -> tuple[float, float, NDArray[np.bool_]]:
    """The first beat and the period of the even grid that most ticks lie on, and which ticks do.

    The median gap is quantised to the tracker's frames, half a BPM at 124; a line through a hundred
    beats is not, and ticks that jumped to a neighbouring onset do not bend it.
    """
    period = float(np.median(np.diff(ticks)))
    index = np.concatenate([[0.0], np.cumsum(np.maximum(1, np.round(np.diff(ticks) / period)))])
    near = np.ones(len(ticks), dtype=np.bool_)
    first = float(ticks[0])
    for _ in range(_LINE_ROUNDS):
        period, first = (float(value) for value in np.polyfit(index[near], ticks[near], 1))
        distance = np.abs(ticks - first - period * index)
        near = distance <= max(_NEAR_SHARE * period, float(np.median(distance)))
    steps = np.floor(first / period)
    return first - steps * period, period, distance <= _NEAR_SHARE * period
