"""Where sound begins, a hundred times a second in three registers: tempo, beats and bars are read from it."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from essentia_api.decode import SAMPLE_RATE, Samples
from essentia_api.measure.spectra import magnitudes

Curve = NDArray[np.float32]

_HALF_RATE = SAMPLE_RATE // 2
_HOP = 220
_FRAME = 1024
_FRAMES_PER_BLOCK = 256  # a megabyte of spectra at a time stays in the processor's cache: twice as fast
RATE = _HALF_RATE / _HOP
_LOUDER = 3000.0  # what a working level's magnitudes are multiplied by before the logarithm
_EDGES = np.concatenate([[20, 65, 110, 160], np.geomspace(220, 11_000, 25)])
_LOW, _MIDDLE, _HIGH = slice(0, 2), slice(3, 18), slice(18, 28)


@dataclass(frozen=True)
class Onsets:
    """Each curve is the rise of the log spectrum in a register, 0 where nothing begins.

    ``accents`` are those rises less compressed, by a square root: there a snare stands above the hats.
    ``contrast`` is how far the rises stand out before they are put in such units: little in a steady tone.
    """

    low: Curve
    middle: Curve
    high: Curve
    accents: tuple[Curve, Curve, Curve]
    contrast: float
    seconds: float

    @property
    def full(self) -> Curve:
        return (self.low + self.middle + self.high) / np.float32(3)


def hear_onsets(samples: Samples) -> Onsets:
    window = (np.hanning(_FRAME) / (_FRAME * _level(samples))).astype(np.float32)
    bands = _bands()
    rises = []
    last = None
    for block in _blocks(samples):
        levels = magnitudes(block * window) @ bands
        heard = np.stack([np.log1p(np.float32(_LOUDER) * levels), np.sqrt(levels)])
        if last is None:
            last = np.repeat(heard[:, :1], 2, axis=1)
        held = np.concatenate([last, heard], axis=1)
        rises.append(np.maximum(held[:, 2:] - held[:, :-2], 0))
        last = held[:, -2:]
    begins, accents = np.concatenate(rises, axis=1)
    curves, contrast = _registers(begins)
    return Onsets(*curves, _registers(accents)[0], contrast, len(samples) / SAMPLE_RATE)


def _registers(rise: NDArray[np.float32]) -> tuple[tuple[Curve, Curve, Curve], float]:
    """Low, middle and high, each in units of its own spread, and how far they stand out before that."""
    above = [_above(rise[:, part].mean(axis=1)) for part in (_LOW, _MIDDLE, _HIGH)]
    spreads = [float(np.sqrt(np.mean(curve**2))) for curve in above]
    low, middle, high = (
        (curve / (spread or 1.0)).astype(np.float32) for curve, spread in zip(above, spreads, strict=True)
    )
    return (low, middle, high), float(np.mean(spreads))


def _halved(samples: Samples) -> Samples:
    """Half of the rate, each a sum of two: good enough below 11 kHz, and nearly free."""
    even = len(samples) // 2 * 2
    return samples[0:even:2] + samples[1:even:2]


def _level(samples: Samples) -> float:
    """The RMS of the halved samples; a second of them at a time, for a copy of ten minutes takes 50 MB."""
    power = 0.0
    for first in range(0, len(samples), SAMPLE_RATE):
        halved = _halved(samples[first : first + SAMPLE_RATE])
        power += float(np.dot(halved, halved))
    return float(np.sqrt(power / max(1, len(samples) // 2))) or 1.0


def _blocks(samples: Samples) -> Iterator[NDArray[np.float32]]:
    """Frames of the halved samples, the first centred on their start; silence lies around them."""
    count = len(samples) // 2 // _HOP + 1
    for first in range(0, count, _FRAMES_PER_BLOCK):
        frames = min(_FRAMES_PER_BLOCK, count - first)
        start = first * _HOP - _FRAME // 2
        end = start + (frames - 1) * _HOP + _FRAME
        halved = _halved(samples[2 * max(0, start) : 2 * end])
        halved = np.pad(halved, (max(0, -start), end - max(0, start) - len(halved)))
        yield np.lib.stride_tricks.sliding_window_view(halved, _FRAME)[::_HOP]


def _bands() -> NDArray[np.float32]:
    """Rectangles over the bins, each a mean, with at least one bin in each."""
    bins = np.round(_EDGES * _FRAME / _HALF_RATE).astype(int)
    weights = np.zeros((_FRAME // 2 + 1, len(bins) - 1), dtype=np.float32)
    for band, (first, last) in enumerate(itertools.pairwise(bins)):
        weights[first : max(last, first + 1), band] = 1 / max(1, last - first)
    return weights


def _above(rise: NDArray[np.floating]) -> NDArray[np.float64]:
    """What rises above the mean of the second around it."""
    width = int(RATE) | 1
    sums = np.cumsum(np.pad(rise.astype(np.float64), (width // 2 + 1, width // 2), mode="edge"))
    return np.maximum(rise - (sums[width:] - sums[:-width]) / width, 0)
