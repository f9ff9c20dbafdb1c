"""Energy as a DJ means it: how dense, bright and restless a track is, however loud it was mastered.

Three things are read off the spectrum of the levelled signal, each between what a bare pad and what
peak-time techno gives: how much changes from frame to frame, how much of the sound is bright, and how
little the level falls between the beats. Their mean is the level from 1 to 10.
"""

import numpy as np
from numpy.typing import NDArray

from dj_contracts.analysis import Energy
from essentia_api.decode import SAMPLE_RATE, Samples

_FRAME = 2048
_HOP = 1024
_BLOCK_FRAMES = 2048  # bounds the memory of a long recording
_BRIGHT_HERTZ = 2000
_CURVE_POINTS = 64
# From a bare pad or a lone kick to a dense peak-time track, as measured on synthesised extremes.
_RESTLESS = (0.05, 0.3)
_BRIGHT = (0.02, 0.65)
_DENSE = (0.2, 0.7)

Frames = NDArray[np.float64]


def measure_energy(samples: Samples) -> Energy:
    loudness, bright, flux = _frames(samples)
    if len(loudness) < 2:
        return Energy()
    heard = loudness > 0.05 * np.percentile(loudness, 95)
    restless = _between(float(np.mean(flux[heard])), _RESTLESS)
    dense = _between(float(np.median(loudness) / np.percentile(loudness, 95)), _DENSE)
    # A sustained pad never lets up either: density counts as far as something happens in it.
    parts = (restless, _between(float(np.mean(bright[heard])), _BRIGHT), dense * min(1.0, 2 * restless))
    momentary = loudness / np.max(loudness)
    points = np.array_split(momentary, min(_CURVE_POINTS, len(momentary)))
    return Energy(
        level=1 + round(9 * sum(parts) / len(parts)),
        curve=[round(float(np.mean(point)), 3) for point in points],
    )


def _frames(samples: Samples) -> tuple[Frames, Frames, Frames]:
    """Of each frame: its RMS, the bright share of its spectrum, and how much of it is new."""
    window = np.hanning(_FRAME).astype(np.float32)
    split = _BRIGHT_HERTZ * _FRAME // SAMPLE_RATE
    parts: list[Frames] = []
    before: NDArray[np.float32] | None = None
    count = max(0, (len(samples) - _FRAME) // _HOP + 1)
    for first in range(0, count, _BLOCK_FRAMES):
        starts = np.arange(first, min(first + _BLOCK_FRAMES, count)) * _HOP
        frames = samples[starts[:, None] + np.arange(_FRAME)] * window
        spectrum = np.abs(np.fft.rfft(frames)).astype(np.float32)
        spectrum[:, 0] = 0
        whole = np.sum(spectrum, axis=1, dtype=np.float64) + 1e-9
        last = spectrum[:1] if before is None else before
        rise = np.maximum(np.diff(spectrum, axis=0, prepend=last), 0)
        before = spectrum[-1:]
        rms = np.sqrt(np.mean(frames**2, axis=1, dtype=np.float64))
        bright = np.sum(spectrum[:, split:], axis=1, dtype=np.float64)
        flux = np.sum(rise, axis=1, dtype=np.float64)
        parts.append(np.stack([rms, bright / whole, flux / whole]))
    if not parts:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    rms, bright, flux = np.concatenate(parts, axis=1)
    return rms, bright, flux


def _between(value: float, bounds: tuple[float, float]) -> float:
    low, high = bounds
    return float(np.clip((value - low) / (high - low), 0, 1))
