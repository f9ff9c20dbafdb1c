"""How loud each third of a semitone is, eleven times a second: what key and chord changes are read from."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from essentia_api.decode import SAMPLE_RATE, Samples
from essentia_api.measure.spectra import magnitudes

_QUARTER_RATE = SAMPLE_RATE / 4
_FRAME, _HOP = 4096, 1024
_FRAMES_PER_BLOCK = 64  # a megabyte of spectra at a time stays in the processor's cache
_OUTPUTS, _ROWS = 32, 1024  # how many thinned samples one product of matrices gives
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
    frames = np.lib.stride_tricks.sliding_window_view(_thinned(samples), _FRAME)[::_HOP]
    window = np.hanning(_FRAME).astype(np.float32)
    steps = _steps()
    levels = [
        magnitudes(frames[first : first + _FRAMES_PER_BLOCK] * window)[:, : len(steps)] @ steps
        for first in range(0, len(frames), _FRAMES_PER_BLOCK)
    ]
    return Pitches(np.concatenate(levels))


def _thinned(samples: Samples) -> Samples:
    """A quarter of the rate, with half a frame of silence on either side. Pairs are averaged first: what
    that folds down comes from above 19 kHz.

    Both filters at once are a product of overlapping stretches with one matrix, which is how a processor
    filters fastest.
    """
    even = len(samples) // 2 * 2
    count = -(-even // 4)
    taps, reach = _thinning(), 2 * (len(_HALF_BAND) // 2)
    step = 4 * _OUTPUTS
    blocks = -(-count // _OUTPUTS)
    padded = np.zeros(_FRAME // 2 + blocks * _OUTPUTS + _FRAME // 2, dtype=np.float32)
    thinned = padded[_FRAME // 2 : -_FRAME // 2].reshape(blocks, _OUTPUTS)
    for row in range(0, blocks, _ROWS):
        rows = min(_ROWS, blocks - row)
        start = row * step - reach
        end = start + (rows - 1) * step + len(taps)
        heard = samples[max(0, start) : min(end, even)]
        heard = np.pad(heard, (max(0, -start), end - max(0, start) - len(heard)))
        stretches = np.lib.stride_tricks.sliding_window_view(heard, len(taps))[::step]
        np.matmul(np.ascontiguousarray(stretches), taps, out=thinned[row : row + rows])
    # What the last block gives past the end belongs to the silence.
    padded[_FRAME // 2 + count :] = 0
    return padded[: count + _FRAME]


@cache
def _thinning() -> NDArray[np.float32]:
    """Samples by outputs: each output's taps stand four samples below those of the one before."""
    filtered = np.repeat(_HALF_BAND / _HALF_BAND.sum() / 2, 2)
    taps = np.zeros((4 * (_OUTPUTS - 1) + len(filtered), _OUTPUTS), dtype=np.float32)
    for output in range(_OUTPUTS):
        taps[4 * output : 4 * output + len(filtered), output] = filtered
    return taps


@cache
def _steps() -> NDArray[np.float32]:
    hertz = np.arange(_FRAME // 2 + 1) * _QUARTER_RATE / _FRAME
    centres = 440 * 2 ** ((np.arange(PITCHES * STEPS) / STEPS + LOWEST - 69) / 12)
    widths = np.maximum(centres * (2 ** (1 / 36) - 1), _QUARTER_RATE / _FRAME)
    weights = np.maximum(0, 1 - np.abs(hertz[:, None] - centres) / widths)
    used = np.flatnonzero(weights.any(axis=1))[-1] + 1
    return np.asarray(weights[:used] / weights.sum(axis=0), dtype=np.float32)
