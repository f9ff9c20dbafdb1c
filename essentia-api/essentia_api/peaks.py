"""The true peak: how high the sound rises between the samples, where a converter makes a wave of them.

ffmpeg's own measure of it takes as long as the rest of decoding four times over, because it makes four
samples of each. Here that is done around the highest samples alone, where the highest peaks lie.
"""

import numpy as np
from numpy.typing import NDArray

_REACH = 12  # samples on either side that shape the wave between two
_BETWEEN = np.array([-0.75, -0.5, -0.25, 0.25, 0.5, 0.75])
_NEAR = 0.7  # of the highest: a wave that overshoots its samples by more than 3 dB is no music
_MOST_TOPS = 10_000  # of a channel in a block


def _interpolation() -> NDArray[np.float32]:
    distance = np.arange(-_REACH, _REACH + 1)[:, None] - _BETWEEN
    window = np.cos(np.pi * distance / (2 * _REACH + 2)) ** 2
    kernel = np.sinc(distance) * window
    return np.asarray(kernel / kernel.sum(axis=0), dtype=np.float32)


_KERNEL = _interpolation()


class TruePeak:
    """Is fed block by block; ``highest`` is the amplitude so far, 1 at full scale."""

    def __init__(self) -> None:
        self.highest = 0.0

    def feed(self, stereo: NDArray[np.float32]) -> None:
        for channel in np.ascontiguousarray(stereo.T):
            self._feed(channel)

    def _feed(self, samples: NDArray[np.float32]) -> None:
        heights = np.abs(samples)
        self.highest = max(self.highest, float(heights.max(initial=0.0)))
        if self.highest == 0 or len(samples) <= 2 * _REACH:
            return
        tops = _tops(samples, heights, _NEAR * self.highest)
        if len(tops) > _MOST_TOPS:
            tops = tops[np.argpartition(heights[tops], -_MOST_TOPS)[-_MOST_TOPS:]]
        around = np.lib.stride_tricks.sliding_window_view(samples, 2 * _REACH + 1)
        between = around[tops - _REACH] @ _KERNEL
        self.highest = max(self.highest, float(np.abs(between).max(initial=0.0)))

    @property
    def decibels(self) -> float | None:
        return round(20 * float(np.log10(self.highest)), 1) if self.highest > 0 else None


def _tops(samples: NDArray[np.float32], heights: NDArray[np.float32], least: float) -> NDArray[np.intp]:
    """Where the sound is as high as ``least`` and turns: the wave between samples is highest beside these."""
    high = np.flatnonzero(heights[_REACH:-_REACH] >= least) + _REACH
    here, sign = heights[high], np.sign(samples[high])
    left, right = samples[high - 1] * sign, samples[high + 1] * sign
    # The inside of a plateau is no top, but each of its ends is.
    return high[(here >= left) & (here >= right) & ((here > left) | (here > right))]
