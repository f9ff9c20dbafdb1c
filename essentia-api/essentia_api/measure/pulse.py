"""Which tempi a track pulses at, and which of them people would tap: the level is chosen here.

Two kinds of evidence meet: nets trained on real records (tempocnn), and what the onsets do at each candidate:
how well they repeat after a beat and after two to four, and whether a backbeat falls where it puts one.
The weights were fitted by logistic regression on made-up rhythms (docs/services/essentia-api.md).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dj_contracts.analysis import TempoCandidate
from essentia_api.measure.onsets import RATE, Curve, Onsets
from essentia_api.measure.tempocnn import FIRST_BPM, TEMPI

_WINDOW = int(12 * RATE)
_LONGEST_LAG = int(7 * RATE)
_SLOWEST, _FASTEST = 48.0, 212.0
_GRID = np.exp(np.arange(np.log(45), np.log(222), 0.004))
_RATIOS = (1 / 3, 1 / 2, 2 / 3, 3 / 4, 1.0, 4 / 3, 3 / 2, 2.0, 3.0)
_ODD_RATIOS = (2 / 3, 3 / 4, 4 / 3, 3 / 2)
_TOLERANCE = 0.02  # of a tempo: how far a net's whole BPM and a candidate may differ
_LEAST_CHANCE = 0.003
_LEAST_CONTRAST = 0.035  # sines and held chords have up to .028, a pad .05, a piano .14
_WEAKEST_PULSE, _CHANCE_SECONDS = (
    0.11,
    0.6,
)  # half a minute of noise reaches .03, eight seconds .1; music starts at .3
_DRIFTS = np.linspace(0.92, 1.08, 17)
_DRIFTING_GAIN = 0.06  # what noise gains from so many tries
_NET, _BEAT, _HATS, _BARS, _BACKBEAT, _DRUM_AND_BASS, _SLOW, _TOO_FAST, _IN_THIRDS, _COMPOUND, _ODD = (
    0.98, 0.67, -0.53, 1.43, 0.98, 0.94, 0.96, -8.0, 1.78, 1.19, -0.83,
)  # fmt: skip


@dataclass(frozen=True)
class Pulse:
    """``strength`` is how well the onsets repeat after one, two and four beats: noise has about 0."""

    bpm: float
    strength: float
    heard: bool
    candidates: list[TempoCandidate]


def find_pulse(onsets: Onsets, nets: list[NDArray[np.float64]]) -> Pulse:
    snare = np.sqrt(np.minimum(onsets.middle, 4) * np.minimum(onsets.high, 4))
    repeats = _Repeats(onsets.low, onsets.middle, onsets.high, snare)
    chances = np.stack([_on_grid(net) for net in nets])
    rough = _GRID[np.argmax(np.maximum(repeats.comb(_GRID), 0.01) * (chances.mean(axis=0) + 0.001))]
    found = 60 / refined_period(onsets.full, 60 / float(rough), 0.03)
    tempi = [(found * ratio, ratio) for ratio in _RATIOS if _SLOWEST <= found * ratio <= _FASTEST]
    scores = np.array([_score(repeats, chances, bpm, ratio) for bpm, ratio in tempi])
    weights = np.exp(scores - scores.max())
    ranked = sorted(zip(weights / weights.sum(), tempi, strict=True), reverse=True)
    best = ranked[0][1][0]
    return Pulse(
        best,
        (strength := repeats.strength(60 / best)),
        _is_heard(onsets, repeats, 60 / best, strength),
        [TempoCandidate(bpm=round(bpm, 2), score=round(float(chance), 3)) for chance, (bpm, _) in ranked],
    )


def refined_period(curve: Curve, period: float, span: float) -> float:
    """The period within ``span`` at which the whole curve and its halves and quarters are most regular."""
    size = 1 << max(18, (len(curve) * 4).bit_length())
    spectrum = np.abs(np.fft.rfft(curve - curve.mean(), size))
    beats = np.linspace((1 - span) / period, (1 + span) / period, 1 + round(span * 40_000))
    bins = np.arange(len(spectrum)) * RATE / size
    strength = np.sum([np.interp(beats * harmonic, bins, spectrum) for harmonic in (1, 2, 4)], axis=0)
    return float(1 / beats[np.argmax(strength)])


def _is_heard(onsets: Onsets, repeats: "_Repeats", beat: float, strength: float) -> bool:
    """Whether there is a beat at all. Chords every few beats make none, nor do a tone's ripples."""
    near = max(at(repeats.all, beat), at(repeats.all, 2 * beat))
    weakest = _WEAKEST_PULSE + _CHANCE_SECONDS / onsets.seconds
    return onsets.contrast >= _LEAST_CONTRAST and strength >= weakest and near >= weakest


class _Repeats:
    """How alike each curve is to itself a while later: means over windows, and their mean again."""

    def __init__(self, low: Curve, middle: Curve, high: Curve, snare: Curve) -> None:
        registers = [_repeats(curve) for curve in (low, middle, high)]
        self.windows = (registers[0] + registers[1] + registers[2]) / 3
        self.low, self.middle, self.high, self.snare = (w.mean(axis=0) for w in (*registers, _repeats(snare)))
        self.all = (self.low + self.middle + self.high) / 3

    def comb(self, bpm: NDArray[np.float64]) -> NDArray[np.float64]:
        lags = np.arange(len(self.all))
        combed = [np.interp(count * 60 / bpm * RATE, lags, self.all) for count in (1, 2, 3, 4)]
        return np.asarray(np.mean(combed, axis=0))

    def strength(self, period: float) -> float:
        """Of the whole track, or of its windows each at a tempo of its own when that is clearly more."""
        steady = _strength(self.all, period)
        drifting = np.mean([max(_strength(w, period * share) for share in _DRIFTS) for w in self.windows])
        return max(steady, float(drifting) - _DRIFTING_GAIN)


def _strength(repeats: NDArray[np.float64], period: float) -> float:
    return float(np.mean([at(repeats, period * count) for count in (1, 2, 4)]))


def at(repeats: NDArray[np.float64], seconds: float) -> float:
    lag = seconds * RATE
    if lag + 1 >= len(repeats):
        return 0.0
    return float(np.max(np.interp([lag - 1, lag, lag + 1], np.arange(len(repeats)), repeats)))


def _repeats(curve: Curve) -> NDArray[np.float64]:
    """Windows by lags, in units of the mean power."""
    if len(curve) < _WINDOW:
        curve = np.pad(curve, (0, _WINDOW - len(curve)))
    windows = np.lib.stride_tricks.sliding_window_view(curve, _WINDOW)[:: _WINDOW // 2]
    spectra = np.fft.rfft(windows - windows.mean(axis=1, keepdims=True), 2 * _WINDOW, axis=1)
    alike = np.fft.irfft(np.abs(spectra) ** 2, axis=1)[:, :_LONGEST_LAG].astype(np.float64)
    alike *= _WINDOW / (_WINDOW - np.arange(_LONGEST_LAG))
    return np.asarray(alike / max(float(alike[:, 0].mean()), 1e-9))


def _on_grid(net: NDArray[np.float64]) -> NDArray[np.float64]:
    whole = np.log(FIRST_BPM + np.arange(TEMPI))
    near: NDArray[np.float64] = np.exp(-0.5 * ((np.log(_GRID)[:, None] - whole) / _TOLERANCE) ** 2)
    return np.asarray(near @ net)


def _score(repeats: _Repeats, chances: NDArray[np.float64], bpm: float, ratio: float) -> float:
    beat = 60 / bpm
    nets = [np.log(np.interp(np.log(bpm), np.log(_GRID), net) + _LEAST_CHANCE) for net in chances]
    bars = [at(repeats.low, count * beat) + at(repeats.middle, count * beat) for count in (2, 3, 4)]
    # A snare that comes back after two beats while the kick needs four: this is the beat, and not half of it.
    backbeat = _share(repeats.snare, beat) - _share(repeats.low, beat)
    thirds, halves = (at(repeats.high, beat / n) + at(repeats.middle, beat / n) for n in (3, 2))
    in_thirds = max(0.0, thirds - halves)
    one_beat = (at(repeats.low, beat) + at(repeats.middle, beat)) / 2
    return float(
        _NET * np.mean(nets)
        + _BEAT * one_beat
        + _HATS * at(repeats.high, beat)
        + _BARS * np.mean(bars)
        + _BACKBEAT * np.clip(backbeat, -1, 1)
        + _DRUM_AND_BASS * (158 < bpm < 182)
        + _SLOW * max(0.0, np.log(85 / bpm))
        + _TOO_FAST * max(0.0, np.log(bpm / 182))
        + _IN_THIRDS * in_thirds
        # Six eight: kick and snare come every beat. At two thirds of a straight tempo they do not.
        + _COMPOUND * in_thirds * max(0.0, one_beat)
        + _ODD * (ratio in _ODD_RATIOS)
    )


def _share(repeats: NDArray[np.float64], beat: float) -> float:
    return at(repeats, 2 * beat) / max(at(repeats, 4 * beat), 0.05)
