"""How loud each third of a semitone is, eleven times a second: what key and chord changes are read from."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from essentia_api.decode import SAMPLE_RATE, Samples

_QUARTER_RATE = SAMPLE_RATE / 4
_FRAME, _HOP = 4096, 1024
_FRAMES_PER_BLOCK = 500
RATE = _QUARTER_RATE / _HOP
LOWEST, PITCHES, STEPS = 33, 65, 3  # from A1 (55 Hz) up, in steps of a third of a semitone
_HALF_BAND = np.array(
    [-0.01, 0, 0.06, 0, -0.13, 0, 0.58, 1, 0.58, 0, -0.13, 0, 0.06, 0, -0.01], dtype=np.float32
)


@dataclass(frozen=True)
class Pitches:
    """``levels`` is frames by steps; frame n is centred on n / RATE seconds."""

    levels: NDArray[np.float32]


def hear_pitches(samples: Samples) -> Pitches:
    thinned = _thinned(samples)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(thinned, _FRAME // 2), _FRAME)[::_HOP]
    window = np.hanning(_FRAME).astype(np.float32)
    levels = [
        np.abs(np.fft.rfft(frames[first : first + _FRAMES_PER_BLOCK] * window, axis=1)).astype(np.float32)
        @ _steps()
        for first in range(0, len(frames), _FRAMES_PER_BLOCK)
    ]
    return Pitches(np.concatenate(levels))


def _thinned(samples: Samples) -> Samples:
    """A quarter of the rate. Pairs are averaged first: what that folds down comes from above 19 kHz."""
    even = len(samples) // 2 * 2
    edge = len(_HALF_BAND) // 2
    halved = np.zeros(even // 2 + 2 * edge, dtype=np.float32)
    np.add(samples[0:even:2], samples[1:even:2], out=halved[edge : edge + even // 2])
    count = (len(halved) - len(_HALF_BAND)) // 2 + 1
    thinned = np.zeros(max(count, 0), dtype=np.float32)
    for tap, weight in enumerate(_HALF_BAND / _HALF_BAND.sum() / 2):
        if weight:
            thinned += weight * halved[tap : tap + 2 * count : 2]
    return thinned


@cache
def _steps() -> NDArray[np.float32]:
    hertz = np.arange(_FRAME // 2 + 1) * _QUARTER_RATE / _FRAME
    centres = 440 * 2 ** ((np.arange(PITCHES * STEPS) / STEPS + LOWEST - 69) / 12)
    widths = np.maximum(centres * (2 ** (1 / 36) - 1), _QUARTER_RATE / _FRAME)
    weights = np.maximum(0, 1 - np.abs(hertz[:, None] - centres) / widths)
    return np.asarray(weights / weights.sum(axis=0), dtype=np.float32)
