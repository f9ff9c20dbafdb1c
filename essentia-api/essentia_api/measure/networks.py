"""What the trained networks here have in common: what they are given to hear, and that one thread runs them.

They listen to short windows spread evenly over the track, so memory and time stay bounded however long the
track is.
"""

from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from essentia_api.decode import SAMPLE_RATE, Samples

MODEL_RATE = 16_000
LOUDNESS = 2.0  # networks learn from finished records, about twice as loud as the working level
_WINDOW_SECONDS = 5
_MOST_WINDOWS = 12
_STRETCH, _OUTPUTS, _REACH, _CUTOFF = 441, 160, 128, 0.955  # 44.1 kHz to 16 kHz


def open_network(model: Path | bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def spread_windows(samples: Samples) -> list[Samples]:
    """At the networks' rate."""
    length = _WINDOW_SECONDS * SAMPLE_RATE
    count = max(1, min(_MOST_WINDOWS, len(samples) // length))
    starts = np.linspace(0, max(0, len(samples) - length), count).astype(int)
    return [_resampled(samples[at : at + length]) for at in starts]


def _resampled(samples: Samples) -> Samples:
    """To the network's rate: each stretch of 441 samples and its surroundings give 160, by one product."""
    count = -(-len(samples) // _STRETCH)
    padded = np.pad(samples, (_REACH, _REACH + count * _STRETCH - len(samples)))
    stretches = np.lib.stride_tricks.sliding_window_view(padded, _STRETCH + 2 * _REACH)[::_STRETCH]
    return np.asarray((np.ascontiguousarray(stretches) @ _sincs()).reshape(-1))


@cache
def _sincs() -> NDArray[np.float32]:
    """Samples by outputs: a windowed sinc that ends just below the network's highest frequency.

    It ends where soxr's does, with which the network was trained: where it ends lower, the sound that the
    network hears is another one.
    """
    ratio = _STRETCH / _OUTPUTS
    apart = np.arange(_STRETCH + 2 * _REACH)[:, None] - _REACH - np.arange(_OUTPUTS) * ratio
    window = np.where(np.abs(apart) < _REACH, np.cos(np.pi * apart / (2 * _REACH)) ** 2, 0)
    sincs = np.sinc(apart * _CUTOFF / ratio) * window
    return np.asarray(sincs / sincs.sum(axis=0), dtype=np.float32)
