"""How strongly a track pulses at a tempo: what ranks the tempi related to the one that was found."""

import numpy as np
from numpy.typing import NDArray

from dj_contracts.analysis import TempoCandidate
from essentia_api.decode import SAMPLE_RATE, Samples

_HOP = 441
_FRAME = 1024
_FRAMES_PER_BLOCK = 2000  # 8 MB of spectra at a time, however long the track
_RATIOS = (1.0, 2.0, 0.5, 1.5, 2 / 3, 4 / 3, 0.75)
_SLOWEST, _FASTEST = 50.0, 220.0


def rank_related(samples: Samples, bpm: float) -> list[TempoCandidate]:
    """The tempo and its plausible relatives, the best supported first; a score is a correlation."""
    onsets = _onsets(samples)
    plausible = [bpm * ratio for ratio in _RATIOS if ratio == 1 or _SLOWEST <= bpm * ratio <= _FASTEST]
    ranked = [TempoCandidate(bpm=round(value, 2), score=_pulse(onsets, value)) for value in plausible]
    return sorted(ranked, key=lambda candidate: -candidate.score)


def _onsets(samples: Samples) -> NDArray[np.float32]:
    """The rise of the log spectrum, a hundred values a second."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, _FRAME)[::_HOP]
    window = np.hanning(_FRAME).astype(np.float32)
    rises = []
    for first in range(0, len(frames) - 1, _FRAMES_PER_BLOCK):
        spectra = np.abs(np.fft.rfft(frames[first : first + _FRAMES_PER_BLOCK + 1] * window, axis=1))
        rises.append(np.clip(np.diff(np.log1p(10 * spectra), axis=0), 0, None).mean(axis=1))
    return np.concatenate(rises).astype(np.float32)


def _pulse(onsets: NDArray[np.float32], bpm: float) -> float:
    """The correlation of the onsets with themselves one beat later, to the nearest hundredth of a second."""
    lag = round(60 / bpm * SAMPLE_RATE / _HOP)
    around = [np.corrcoef(onsets[: -lag - step], onsets[lag + step :])[0, 1] for step in (-1, 0, 1)]
    best = float(np.max(around))
    return round(min(max(best, 0.0), 1.0), 3) if np.isfinite(best) else 0.0
