"""Which tempi a track pulses at, and which of them people would tap: the level is chosen here.

Two kinds of evidence meet: nets trained on real records (tempocnn), and how well the onsets repeat, register
by register, after so many or such parts of each candidate's beats. A forest that bench/analysis/fit.py has
grown says how likely each candidate is, given both.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dj_contracts.analysis import TempoCandidate
from essentia_api.measure.forest import Forest
from essentia_api.measure.onsets import RATE, Curve, Onsets
from essentia_api.measure.spectra import autocorrelations
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
_LAGS = np.array([1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1, 4 / 3, 3 / 2, 2, 8 / 3, 3, 4, 6, 8])  # in beats
_NET_RATIOS = (1 / 3, 1 / 2, 2 / 3, 1, 3 / 2, 2, 3)
# A first guess, which the forest has to improve on.
_WEIGHTS = {
    "nets": 0.81,
    "beat": 0.79,
    "hats": 0.05,
    "bars": 0.19,
    "backbeat": 0.60,
    "drum and bass": 1.21,
    "slow": 1.21,
    "too fast": -2.09,
    "in thirds": 1.96,
    "compound": 1.82,
    "odd": -0.20,
    "not two thirds": 1.21,
    "not four thirds": 2.14,
    "not in threes": 2.86,
}


@dataclass(frozen=True)
class Pulse:
    """``strength`` is how well the onsets repeat after one, two and four beats: noise has about 0."""

    bpm: float
    strength: float
    heard: bool
    candidates: list[TempoCandidate]


def find_pulse(onsets: Onsets, nets: list[NDArray[np.float64]]) -> Pulse:
    repeats = Repeats(onsets)
    heard = evidence(onsets, repeats, nets)
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


def evidence(onsets: Onsets, repeats: "Repeats", nets: list[NDArray[np.float64]]) -> dict[float, list[float]]:
    """What there is to say of each tempo that the record may be felt at."""
    net = np.mean(nets, axis=0)
    rough = _GRID[np.argmax(np.maximum(repeats.comb(_GRID), 0.01) * (_chances(net, _GRID) + 0.001))]
    found = 60 / refined_period(onsets.full, 60 / float(rough), 0.03)
    tempi = [(found * ratio, ratio) for ratio in _RATIOS if _SLOWEST <= found * ratio <= _FASTEST]
    rules = [_rules(repeats, nets, bpm, ratio) for bpm, ratio in tempi]
    guesses = np.array([sum(_WEIGHTS[name] * worth for name, worth in of.items()) for of in rules])
    behind = guesses - guesses.max()
    return {
        bpm: [*_repeated(repeats, net, bpm), of["odd"], of["in thirds"], of["backbeat"], guess, less]
        for (bpm, _), of, guess, less in zip(tempi, rules, guesses, behind, strict=True)
    }


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
    near = max(at(repeats.all, beat), at(repeats.all, 2 * beat))
    weakest = _WEAKEST_PULSE + _CHANCE_SECONDS / onsets.seconds
    return onsets.contrast >= _LEAST_CONTRAST and strength >= weakest and near >= weakest


class Repeats:
    """How alike each curve is to itself a while later: means over windows, and their mean again."""

    def __init__(self, onsets: Onsets) -> None:
        snare = np.sqrt(np.minimum(onsets.middle, 4) * np.minimum(onsets.high, 4))
        registers = [_repeats(curve) for curve in (onsets.low, onsets.middle, onsets.high)]
        self.windows = (registers[0] + registers[1] + registers[2]) / 3
        self.low, self.middle, self.high, self.snare = (w.mean(axis=0) for w in (*registers, _repeats(snare)))
        self.all = (self.low + self.middle + self.high) / 3

    def comb(self, bpm: NDArray[np.float64]) -> NDArray[np.float64]:
        lags = np.arange(len(self.all))
        combed = [np.interp(count * 60 / bpm * RATE, lags, self.all) for count in (1, 2, 3, 4)]
        return np.asarray(np.mean(combed, axis=0))

    def strength(self, period: float) -> float:
        """Of the whole track, or of its windows each at a tempo of its own when that is clearly more."""
        steady = float(_strength(self.all, period))
        drifting = _strength(self.windows, period * _DRIFTS).max(axis=1).mean()
        return max(steady, float(drifting) - _DRIFTING_GAIN)


def _strength(repeats: NDArray[np.float64], period: float | NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.mean([at_all(repeats, period * count) for count in (1, 2, 4)], axis=0))


def at(repeats: NDArray[np.float64], seconds: float) -> float:
    return float(at_all(repeats, seconds))


def at_all(repeats: NDArray[np.float64], seconds: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """The most within a frame of each time; each row's, where there are several. 0 for what is too late."""
    lags = np.asarray(seconds)[..., None] * RATE + np.array([-1, 0, 1])
    last = repeats.shape[-1] - 1
    places = np.clip(lags, 0, last)
    before = np.minimum(places.astype(int), last - 1)
    share = places - before
    between = repeats[..., before] * (1 - share) + repeats[..., before + 1] * share
    return np.asarray(np.where(lags[..., 2] < last + 1, between.max(axis=-1), 0.0))


def _repeats(curve: Curve) -> NDArray[np.float64]:
    """Windows by lags, in units of the mean power."""
    if len(curve) < _WINDOW:
        curve = np.pad(curve, (0, _WINDOW - len(curve)))
    windows = np.lib.stride_tricks.sliding_window_view(curve, _WINDOW)[:: _WINDOW // 2]
    alike = autocorrelations(windows - windows.mean(axis=1, keepdims=True)).astype(np.float64)
    alike = alike[:, :_LONGEST_LAG] * _WINDOW / (_WINDOW - np.arange(_LONGEST_LAG))
    return np.asarray(alike / max(float(alike[:, 0].mean()), 1e-9))


def _chances(net: NDArray[np.float64], tempi: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a net, which knows whole tempi, says of any."""
    away = np.log(tempi)[:, None] - np.log(FIRST_BPM + np.arange(TEMPI))
    return np.asarray(np.exp(-0.5 * (away / _TOLERANCE) ** 2) @ net)


def _repeated(repeats: Repeats, net: NDArray[np.float64], bpm: float) -> list[float]:
    """How well each register repeats after parts and counts of a beat, and what the nets say all around."""
    curves = np.stack([repeats.low, repeats.middle, repeats.high, repeats.snare])
    again = at_all(curves, 60 / bpm * _LAGS)
    chances = np.log(_chances(net, bpm * np.array(_NET_RATIOS)) + _LEAST_CHANCE)
    return [*again.flat, *chances, np.log(bpm)]


def _rules(repeats: Repeats, nets: list[NDArray[np.float64]], bpm: float, ratio: float) -> dict[str, float]:
    """What is known to tell a tempo from its relatives."""
    beat = 60 / bpm

    def again(beats: float) -> float:
        return at(repeats.low, beats * beat) + at(repeats.middle, beats * beat)

    thirds, halves = (at(repeats.high, beat / n) + at(repeats.middle, beat / n) for n in (3, 2))
    in_thirds = max(0.0, thirds - halves)
    one_beat = again(1) / 2
    tempo = np.array([bpm])
    # A snare that comes back after two beats while the kick needs four: this is the beat, and not half of it.
    backbeat = _share(repeats.snare, beat) - _share(repeats.low, beat)
    return {
        "nets": float(np.mean([np.log(_chances(net, tempo) + _LEAST_CHANCE) for net in nets])),
        "beat": one_beat,
        "hats": at(repeats.high, beat),
        "bars": float(np.mean([again(2), again(3), again(4)])),
        "backbeat": float(np.clip(backbeat, -1, 1)),
        "drum and bass": float(158 < bpm < 182),
        "slow": max(0.0, float(np.log(85 / bpm))),
        "too fast": max(0.0, float(np.log(bpm / 182))),
        "in thirds": in_thirds,
        # Six eight: kick and snare come every beat. At two thirds of a straight tempo they do not.
        "compound": in_thirds * max(0.0, one_beat),
        "odd": float(ratio in _ODD_RATIOS),
        # At a tempo half as fast again as the beat, as tresillos and triplets suggest it, a record repeats
        # better after one and a half of such beats than after one, and after three than after four.
        "not two thirds": (again(1) - again(2 / 3)) / 2,
        "not four thirds": (again(1) - again(4 / 3)) / 2,
        "not in threes": (again(4) - again(3)) / 2,
    }


def _share(repeats: NDArray[np.float64], beat: float) -> float:
    return at(repeats, 2 * beat) / max(at(repeats, 4 * beat), 0.05)
