"""Which tempi a track pulses at, and which of them people would tap: the level is chosen here.

Nets that were trained on real records (tempocnn) have their say, and the onsets: how well they repeat,
register by register, after so many or such parts of each candidate's beats, what follows there on a kick or a
snare, and how many strokes a beat would have. A forest that bench/analysis/fit.py has grown says how likely
each candidate is, given all that.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dj_contracts.analysis import TempoCandidate
from essentia_api.measure.forest import Forest
from essentia_api.measure.onsets import RATE, Curve, Onsets
from essentia_api.measure.spectra import correlations
from essentia_api.measure.tempocnn import FIRST_BPM, TEMPI

_WINDOW = int(12 * RATE)
_LONGEST_LAG = int(7 * RATE)
_SLOWEST, _FASTEST = 48.0, 212.0
_GRID = np.exp(np.arange(np.log(45), np.log(222), 0.004))
_RATIOS = (1 / 3, 1 / 2, 2 / 3, 3 / 4, 1.0, 4 / 3, 3 / 2, 2.0, 3.0)
_TOLERANCE = 0.02  # of a tempo: how far a net's whole BPM and a candidate may differ
_LEAST_CHANCE = 0.003
_LEAST_CONTRAST = 0.035  # sines and held chords have up to .028, a pad .05, a piano .14
_WEAKEST_PULSE, _CHANCE_SECONDS = (
    0.11,
    0.6,
)  # half a minute of noise reaches .03, eight seconds .1; music starts at .3
_DRIFTS = np.linspace(0.92, 1.08, 17)
_DRIFTING_GAIN = 0.06  # what noise gains from so many tries
_LAGS = np.array([1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1, 4 / 3, 3 / 2, 2, 8 / 3, 3, 4, 6, 8])  # in beats
_LATER = np.array([0, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1, 4 / 3, 3 / 2, 2, 3, 4])
_NET_RATIOS = (1 / 3, 1 / 2, 2 / 3, 1, 3 / 2, 2, 3)
_STROKE = 0.7  # of a register's spread: a peak above this is one


@dataclass(frozen=True)
class Pulse:
    """``strength`` is how well the onsets repeat after one, two and four beats: noise has about 0."""

    bpm: float
    strength: float
    heard: bool
    candidates: list[TempoCandidate]


def find_pulse(onsets: Onsets, net: NDArray[np.float64]) -> Pulse:
    repeats = Repeats(onsets)
    heard = evidence(onsets, repeats, net)
    scores = Forest.of("level").scores(np.array(list(heard.values())))
    weights = np.exp(scores - scores.max())
    ranked = sorted(zip(weights / weights.sum(), heard, strict=True), reverse=True)
    best = ranked[0][1]
    return Pulse(
        best,
        (strength := repeats.strength(60 / best)),
        _is_heard(onsets, repeats, 60 / best, strength),
        [TempoCandidate(bpm=round(bpm, 2), score=round(float(chance), 3)) for chance, bpm in ranked],
    )


def evidence(onsets: Onsets, repeats: "Repeats", net: NDArray[np.float64]) -> dict[float, list[float]]:
    """What there is to say of each tempo that the record may be felt at."""
    rough = _GRID[np.argmax(np.maximum(repeats.comb(_GRID), 0.01) * (_chances(net, _GRID) + 0.001))]
    found = 60 / refined_period(onsets.full, 60 / float(rough), 0.03)
    tempi = [found * ratio for ratio in _RATIOS if _SLOWEST <= found * ratio <= _FASTEST]
    return {bpm: _of_tempo(repeats, net, bpm) for bpm in tempi}


def refined_period(curve: Curve, period: float, span: float) -> float:
    """The period within ``span`` at which the whole curve and its halves and quarters are most regular."""
    size = 1 << max(18, (len(curve) * 4).bit_length())
    spectrum = np.abs(np.fft.rfft(curve - curve.mean(), size))
    beats = np.linspace((1 - span) / period, (1 + span) / period, 1 + round(span * 40_000))
    bins = np.arange(len(spectrum)) * RATE / size
    strength = np.sum([np.interp(beats * harmonic, bins, spectrum) for harmonic in (1, 2, 4)], axis=0)
    return float(1 / beats[np.argmax(strength)])


def _is_heard(onsets: Onsets, repeats: "Repeats", beat: float, strength: float) -> bool:
    """Whether there is a beat at all. Chords every few beats make none, nor do a tone's ripples."""
    near = float(at(repeats.all, beat * np.array([1, 2])).max())
    weakest = _WEAKEST_PULSE + _CHANCE_SECONDS / onsets.seconds
    return onsets.contrast >= _LEAST_CONTRAST and strength >= weakest and near >= weakest


class Repeats:
    """How alike curves are to themselves and to each other a while later: ``windows`` of all registers,
    and the means over windows: ``all`` of these, ``each`` of the registers and the snare, ``following`` of
    snare and hats after a kick and of hats after a snare. And how many ``strokes`` a second has."""

    def __init__(self, onsets: Onsets) -> None:
        registers = (onsets.low, onsets.middle, onsets.high)
        snare = np.sqrt(np.minimum(onsets.middle, 4) * np.minimum(onsets.high, 4))
        low, middle, high, snares = (_windows(curve) for curve in (*registers, snare))
        alike = [_alike(curve, curve) for curve in (low, middle, high, snares)]
        self.windows = (alike[0] + alike[1] + alike[2]) / 3
        self.each = np.stack([windows.mean(axis=0) for windows in alike])
        self.all = self.each[:3].mean(axis=0)
        pairs = ((low, snares), (low, high), (snares, high))
        self.following = np.stack([_alike(*pair).mean(axis=0) for pair in pairs])
        self.strokes = np.array([_strokes(curve) for curve in (*registers, onsets.full)]) / onsets.seconds

    def comb(self, bpm: NDArray[np.float64]) -> NDArray[np.float64]:
        lags = np.arange(len(self.all))
        combed = [np.interp(count * 60 / bpm * RATE, lags, self.all) for count in (1, 2, 3, 4)]
        return np.asarray(np.mean(combed, axis=0))

    def strength(self, period: float) -> float:
        """Of the whole track, or of its windows each at a tempo of its own when that is clearly more."""
        steady = _strength(self.all, period)
        drifting = _strength(self.windows, period * _DRIFTS).max(axis=1).mean()
        return float(max(steady, drifting - _DRIFTING_GAIN))


def _strength(repeats: NDArray[np.float64], period: float | NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.mean([at(repeats, period * count) for count in (1, 2, 4)], axis=0))


def at(repeats: NDArray[np.float64], seconds: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """The most within a frame of each time, and nothing before now; each row's, where there are several. 0
    for what is too late."""
    lags = np.asarray(seconds)[..., None] * RATE + np.array([-1, 0, 1])
    last = repeats.shape[-1] - 1
    places = np.clip(lags, 0, last)
    before = np.minimum(places.astype(int), last - 1)
    share = places - before
    between = repeats[..., before] * (1 - share) + repeats[..., before + 1] * share
    return np.asarray(np.where(lags[..., 2] < last + 1, between.max(axis=-1), 0.0))


def _windows(curve: Curve) -> NDArray[np.float32]:
    if len(curve) < _WINDOW:
        curve = np.pad(curve, (0, _WINDOW - len(curve)))
    windows = np.lib.stride_tricks.sliding_window_view(curve, _WINDOW)[:: _WINDOW // 2]
    return np.asarray(windows - windows.mean(axis=1, keepdims=True))


def _alike(first: NDArray[np.float32], later: NDArray[np.float32]) -> NDArray[np.float64]:
    """Windows by lags, in units of the mean power."""
    alike = correlations(first, later).astype(np.float64)
    alike = alike[:, :_LONGEST_LAG] * _WINDOW / (_WINDOW - np.arange(_LONGEST_LAG))
    power = np.sqrt(np.vdot(first, first) * np.vdot(later, later)) / len(first)
    return np.asarray(alike / max(float(power), 1e-9))


def _strokes(curve: Curve) -> int:
    here = curve[1:-1]
    return int(np.sum((here > curve[:-2]) & (here >= curve[2:]) & (here > _STROKE)))


def _chances(net: NDArray[np.float64], tempi: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a net, which knows whole tempi, says of any."""
    away = np.log(tempi)[:, None] - np.log(FIRST_BPM + np.arange(TEMPI))
    return np.asarray(np.exp(-0.5 * (away / _TOLERANCE) ** 2) @ net)


def _of_tempo(repeats: Repeats, net: NDArray[np.float64], bpm: float) -> list[float]:
    """How well each register repeats after parts and counts of a beat, what follows on what by how much, how
    many strokes a beat has, and what the nets say all around."""
    beat = 60 / bpm
    again = at(repeats.each, beat * _LAGS)
    following = at(repeats.following, beat * _LATER)
    strokes = np.log(repeats.strokes * beat + 0.05)
    chances = np.log(_chances(net, bpm * np.array(_NET_RATIOS)) + _LEAST_CHANCE)
    return [float(each) for each in (*again.flat, *chances, np.log(bpm), *following.flat, *strokes)]
