"""How loud a track is in bass, middle and treble, moment by moment: for waveforms and sections."""

import numpy as np
from numpy.typing import NDArray

from essentia_api.decode import SAMPLE_RATE, Samples
from essentia_api.measure.spectra import magnitudes

_FRAME = _HOP = SAMPLE_RATE // 20
RATE = SAMPLE_RATE / _HOP
_FRAMES_PER_BLOCK = 64  # half a megabyte of spectra at a time stays in the processor's cache
_BASS_ENDS, _MIDDLE_ENDS = 180.0, 2500.0
# Treble holds little power for how loud it is heard.
_HEARD = np.array([1.0, 1.6, 4.0], dtype=np.float32)

Bands = NDArray[np.float32]  # moments x (bass, middle, treble), amplitudes

NO_BANDS: Bands = np.zeros((0, 3), dtype=np.float32)


def hear_bands(samples: Samples) -> Bands:
    whole = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME)
    window = np.hanning(_FRAME).astype(np.float32)
    edges = np.searchsorted(np.fft.rfftfreq(_FRAME, 1 / SAMPLE_RATE), [0.0, _BASS_ENDS, _MIDDLE_ENDS])
    levels = []
    for first in range(0, len(whole), _FRAMES_PER_BLOCK):
        spectra = magnitudes(whole[first : first + _FRAMES_PER_BLOCK] * window)
        levels.append(np.sqrt(np.add.reduceat(spectra * spectra, edges, axis=1)))
    return np.concatenate(levels) * (_HEARD * np.float32(2 / _FRAME)) if levels else NO_BANDS
