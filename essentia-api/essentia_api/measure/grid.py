"""Where the beats lie once the tempo is known: an even grid, or a tracked path for a track that drifts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from essentia_api.measure.onsets import RATE, Curve, Onsets
from essentia_api.measure.pulse import refined_period

Beats = NDArray[np.float64]

_LEAST_COHERENCE = 0.85
_LEAST_DRIFT = 0.08
_FEWEST_BEATS = 8
_PHASE_BINS = 64
_MOST_PHASES = 4
# Phases nearer than this share of a beat or these seconds are the same: a kick that sweeps sets in twice.
_NARROWEST, _ONE_STROKE_SECONDS = 0.08, 0.07
_WINDOW_SECONDS, _HOP_SECONDS = 8.0, 2.0
_WIDEST_DRIFT = 0.12
_TIGHTNESS = 100.0
_BEFORE_THE_START = 0.025


@dataclass(frozen=True)
class Grid:
    """``readings`` are the ways to place the beats on that tempo, of which the bars decide."""

    period: float
    coherence: float
    readings: list[Beats]

    @property
    def steady(self) -> bool:
        return self.coherence >= _LEAST_COHERENCE


def lay_grid(onsets: Onsets, bpm: float) -> Grid:
    full = onsets.full
    period = refined_period(full, 60 / bpm, 0.02)
    coherence = _coherence(full, period)
    if coherence >= _LEAST_COHERENCE:
        readings = [_even(first, period, onsets.seconds) for first in _phases(full, period)]
        return Grid(period, coherence, readings)
    tracked = _tracked(full, _local_periods(full, period))
    if len(tracked) < _FEWEST_BEATS:
        return Grid(period, 0.0, [])
    between = (tracked[:-1] + tracked[1:]) / 2
    spans = (
        tracked[_FEWEST_BEATS - 1 :] - tracked[: 1 - _FEWEST_BEATS]
    )  # one step is a whole number of frames
    return Grid(float(np.median(spans)) / (_FEWEST_BEATS - 1), coherence, [tracked, between])


def _even(first: float, period: float, seconds: float) -> Beats:
    """A record that starts on the beat may have it a little before its start."""
    if period - first < _BEFORE_THE_START:
        first -= period
    return np.asarray(np.maximum(np.arange(first, seconds, period), 0))


def _coherence(curve: Curve, period: float) -> float:
    """How much of the pulse that each window has at its own period is left at one period for all.

    The halves and quarters of the beat tell: a machine has .96 and more, a track that gains one per cent
    by its end .8 at most.
    """
    window = int(_WINDOW_SECONDS * RATE)
    shape, clock = np.hanning(window), np.arange(window) / RATE
    shares = np.linspace(1 - _LEAST_DRIFT, 1 + _LEAST_DRIFT, 65)
    together = own = 0.0
    for harmonic in (2, 4):
        turns = np.exp(-2j * np.pi * harmonic * clock[:, None] / (period * shares))
        steady = np.exp(-2j * np.pi * harmonic * clock / period)
        total = 0j
        for first in _windows(len(curve), window, window // 2):
            piece = _piece(curve, first, window) * shape
            total += (piece @ steady) * np.exp(-2j * np.pi * harmonic * first / RATE / period)
            own += float(np.abs(piece @ turns).max())
        together += abs(total)
    return together / max(own, 1e-9)


def _windows(count: int, window: int, hop: int) -> range:
    return range(0, max(1, count - window + 1), hop)


def _piece(curve: Curve, first: int, window: int) -> NDArray[np.float64]:
    piece = np.zeros(window)
    piece[: len(curve) - first] = curve[first : first + window]
    return np.asarray(piece - piece.mean())


def _phases(curve: Curve, period: float) -> list[float]:
    """The likeliest places of a beat within one period, strongest first."""
    clock = np.arange(len(curve)) / RATE
    bins = (clock / period * _PHASE_BINS).astype(int) % _PHASE_BINS
    mean = np.bincount(bins, curve, _PHASE_BINS) / np.maximum(1, np.bincount(bins, minlength=_PHASE_BINS))
    smooth = np.hanning(9)
    around = np.convolve(np.pad(mean, 4, mode="wrap"), smooth / smooth.sum(), "valid")
    peaks = [k for k in range(_PHASE_BINS) if around[k] >= max(around[k - 1], around[(k + 1) % _PHASE_BINS])]
    narrowest = max(_NARROWEST, _ONE_STROKE_SECONDS / period) * _PHASE_BINS
    chosen: list[int] = []
    for peak in sorted(peaks, key=lambda k: -around[k]):
        if all(_apart(peak, other) > narrowest for other in chosen):
            chosen.append(peak)
    return [(peak + 0.5) / _PHASE_BINS * period for peak in chosen[:_MOST_PHASES]]


def _apart(first: int, second: int) -> int:
    distance = abs(first - second)
    return min(distance, _PHASE_BINS - distance)


def _local_periods(curve: Curve, period: float) -> Curve:
    """The period that fits best around each frame, within what a drummer drifts."""
    window = int(_WINDOW_SECONDS * RATE)
    shares = np.linspace(1 - _WIDEST_DRIFT, 1 + _WIDEST_DRIFT, 97)
    clock = np.arange(window) / RATE
    turns = [np.exp(-2j * np.pi * harmonic * clock[:, None] / (period * shares)) for harmonic in (1, 2, 4)]
    starts = _windows(len(curve), window, int(_HOP_SECONDS * RATE))
    pieces = [_piece(curve, first, window) * np.hanning(window) for first in starts]
    strengths = np.array([sum(np.abs(piece @ turn) for turn in turns) for piece in pieces])
    centres = [first + window / 2 for first in starts]
    chosen = _smooth_path(strengths)
    return np.interp(np.arange(len(curve)), centres, period * shares[chosen]).astype(np.float32)


def _smooth_path(strengths: NDArray[np.float64]) -> NDArray[np.intp]:
    """Viterbi's best path through the windows; a step costs as its square."""
    levels = np.log(strengths / strengths.max(axis=1, keepdims=True) + 1e-3)
    states = np.arange(levels.shape[1])
    cost = 0.02 * (states[:, None] - states) ** 2
    best, came = levels[0], []
    for level in levels[1:]:
        options = best[None, :] - cost
        came.append(np.argmax(options, axis=1))
        best = level + options.max(axis=1)
    path = [int(np.argmax(best))]
    for step in reversed(came):
        path.append(int(step[path[-1]]))
    return np.array(path[::-1])


def _tracked(curve: Curve, periods: Curve) -> Beats:
    """Ellis's dynamic programming: each beat on an onset, each step near the period of its place."""
    frames = periods * RATE
    smooth = np.hanning(7)
    strength = np.convolve(curve, smooth / smooth.sum(), "same")
    strength = strength / (strength.std() or 1.0)
    total, came = strength.astype(np.float64).copy(), np.full(len(curve), -1)
    for frame in range(int(frames.max() * 2) + 1, len(curve)):
        near, far = int(frames[frame] * 0.6), int(frames[frame] * 1.6)
        steps = np.arange(near, far + 1)
        options = total[frame - steps] - _TIGHTNESS * np.log(steps / frames[frame]) ** 2
        best = int(np.argmax(options))
        total[frame] += options[best]
        came[frame] = frame - steps[best]
    last_stretch = max(1, int(frames[-1]))
    at = len(curve) - last_stretch + int(np.argmax(total[-last_stretch:]))
    beats = []
    while at >= 0:
        beats.append(at / RATE)
        at = int(came[at])
    return np.array(beats[::-1])
