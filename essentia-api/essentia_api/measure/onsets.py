"""Where sound begins, a hundred times a second in three registers: tempo, beats and bars are read from it."""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from essentia_api.decode import SAMPLE_RATE, Samples

Curve = NDArray[np.float32]

_HALF_RATE = SAMPLE_RATE // 2
_HOP = 220
_FRAME = 1024
_FRAMES_PER_BLOCK = 2000  # 8 MB of spectra at a time, however long the track
RATE = _HALF_RATE / _HOP
_LOUDER = 3000.0  # what a working level's magnitudes are multiplied by before the logarithm
_EDGES = np.concatenate([[20, 65, 110, 160], np.geomspace(220, 11_000, 25)])
_LOW, _MIDDLE, _HIGH = slice(0, 2), slice(3, 18), slice(18, 28)


@dataclass(frozen=True)
class Onsets:
    """Each curve is the rise of the log spectrum in a register, 0 where nothing begins.

    ``contrast`` is how far the rises stand out before they are put in such units: little in a steady tone.
    """

    low: Curve
    middle: Curve
    high: Curve
    contrast: float
    seconds: float

    @property
    def full(self) -> Curve:
        return (self.low + self.middle + self.high) / np.float32(3)


def hear_onsets(samples: Samples) -> Onsets:
    even = len(samples) // 2 * 2
    # Written where it is used: a second copy of ten minutes would be 50 MB more.
    padded = np.zeros(even // 2 + _FRAME, dtype=np.float32)
    halved = padded[_FRAME // 2 : -_FRAME // 2]
    np.add(samples[0:even:2], samples[1:even:2], out=halved)
    level = float(np.sqrt(np.dot(halved, halved) / max(1, len(halved)))) or 1.0
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::_HOP]
    window = (np.hanning(_FRAME) / (_FRAME * level)).astype(np.float32)
    bands = _bands()
    rises = []
    last = None
    for first in range(0, len(frames), _FRAMES_PER_BLOCK):
        spectra = np.abs(np.fft.rfft(frames[first : first + _FRAMES_PER_BLOCK] * window, axis=1))
        logs = np.log1p(np.float32(_LOUDER) * (spectra @ bands))
        if last is None:
            last = np.repeat(logs[:1], 2, axis=0)
        held = np.concatenate([last, logs])
        rises.append(np.maximum(held[2:] - held[:-2], 0))
        last = held[-2:]
    rise = np.concatenate(rises)
    above = [_above(rise[:, part].mean(axis=1)) for part in (_LOW, _MIDDLE, _HIGH)]
    spreads = [float(np.sqrt(np.mean(curve**2))) for curve in above]
    low, middle, high = (
        (curve / (spread or 1.0)).astype(np.float32) for curve, spread in zip(above, spreads, strict=True)
    )
    return Onsets(low, middle, high, float(np.mean(spreads)), len(samples) / SAMPLE_RATE)


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
