"""Three small nets that know how fast real records are felt: a chance for each whole tempo, 30 to 285 BPM.

The weights are deepsquare_k4, deepsquare_k8 and shallowtemp_k4 of tempo-cnn 0.0.8 by Hendrik Schreiber
(AGPL-3.0; H. Schreiber, M. Müller: Musical tempo and key estimation using convolutional neural networks with
directional filters, 2019), kept in half precision in tempocnn.npz. The package itself needs TensorFlow and a
Python below 3.12.
"""

from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from essentia_api.decode import SAMPLE_RATE, Samples
from essentia_api.measure.spectra import magnitudes

Array = NDArray[np.float32]

MODEL = "tempo-cnn deepsquare k4 k8, shallowtemp k4"
FIRST_BPM, TEMPI = 30, 256
_NAMES = ("deepsquare_k4", "deepsquare_k8", "shallowtemp_k4")
_STEP = 4  # 44.1 kHz to the 11 kHz that the nets were trained at
_FRAME, _HOP, _BANDS, _FRAMES = 1024, 512, 40, 256
_EXCERPT = (_FRAMES - 1) * _HOP + _FRAME
_MOST_EXCERPTS = 12  # twelve seconds each; more of a track did not change which tempo won
_LOWPASS_TAPS = 49


def likely_tempi(samples: Samples) -> NDArray[np.float64]:
    """What the nets say on average, over excerpts spread evenly over the track."""
    mels = np.stack([_mel_spectrogram(excerpt) for excerpt in _excerpts(samples)])
    spread = float(np.std(mels))
    heard = ((mels - np.mean(mels)) / (spread or 1.0))[..., None].astype(np.float32)
    each = [_run(name, heard).mean(axis=0, dtype=np.float64) for name in _NAMES]
    return np.asarray(np.mean(each, axis=0))


def _excerpts(samples: Samples) -> list[Samples]:
    """Low-passed and thinned out: only these seconds of a long track are filtered."""
    taps = np.arange(_LOWPASS_TAPS) - _LOWPASS_TAPS // 2
    lowpass = np.sinc(taps / _STEP) * np.hamming(_LOWPASS_TAPS)
    lowpass = (lowpass / lowpass.sum()).astype(np.float32)
    wanted = (_EXCERPT - 1) * _STEP + _LOWPASS_TAPS
    if len(samples) < wanted:
        samples = np.pad(samples, (0, wanted - len(samples)))
    count = min(_MOST_EXCERPTS, max(1, len(samples) // wanted))
    starts = np.linspace(0, len(samples) - wanted, count).astype(int)
    views = (
        np.lib.stride_tricks.sliding_window_view(samples[start : start + wanted], _LOWPASS_TAPS)
        for start in starts
    )
    return [view[::_STEP] @ lowpass for view in views]


def _mel_spectrogram(excerpt: Samples) -> Array:
    """40 bands by 256 frames."""
    frames = np.lib.stride_tricks.sliding_window_view(excerpt, _FRAME)[::_HOP]
    window = np.hanning(_FRAME + 1)[:-1].astype(np.float32)
    return (magnitudes(frames * window) @ _mel_filters()).T


@cache
def _mel_filters() -> Array:
    """Slaney's triangles from 20 to 5000 Hz, each of area one."""
    hertz = np.arange(_FRAME // 2 + 1) * (SAMPLE_RATE / _STEP) / _FRAME
    corners = _hertz(np.linspace(_mel(20.0), _mel(5000.0), _BANDS + 2))
    widths = np.diff(corners)
    ramps = corners[:, None] - hertz
    rising, falling = -ramps[:-2] / widths[:-1, None], ramps[2:] / widths[1:, None]
    triangles = np.maximum(0, np.minimum(rising, falling)) * (2 / (corners[2:] - corners[:-2]))[:, None]
    return np.asarray(triangles.T, dtype=np.float32)


def _mel(hertz: float) -> float:
    return hertz * 3 / 200 if hertz < 1000 else 15 + 27 * float(np.log(hertz / 1000) / np.log(6.4))


def _hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mels < 15, mels * 200 / 3, 1000 * np.exp(np.log(6.4) / 27 * (mels - 15)))


@cache
def _weights() -> dict[str, Array]:
    with (files(__package__) / "tempocnn.npz").open("rb") as file, np.load(file) as stored:
        return {name: stored[name].astype(np.float32) for name in stored.files}


def _run(name: str, heard: Array) -> Array:
    """Excerpts by bands by frames by one, to excerpts by tempi."""
    found = [_deep_square(name, one[None]) if "deep" in name else _shallow(name, one[None]) for one in heard]
    scores = np.concatenate(found)
    chances = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(chances / chances.sum(axis=1, keepdims=True))


def _deep_square(name: str, image: Array) -> Array:
    weights = _weights()
    for block in range(6):
        for layer in (2 * block, 2 * block + 1):
            image = np.maximum(_convolve(image, f"{name}/Conv{layer}"), 0)
            image = image * weights[f"{name}/BN{layer}/scale"] + weights[f"{name}/BN{layer}/shift"]
        image = _halved(image, 1 if block == 5 else 2)
    return np.asarray(np.maximum(_convolve(image, f"{name}/1x1"), 0).mean(axis=(1, 2)))


def _shallow(name: str, image: Array) -> Array:
    image = np.maximum(_convolve(image, f"{name}/Conv0"), 0).mean(axis=1, keepdims=True)
    image = np.maximum(_convolve(image, f"{name}/Conv2"), 0)
    return np.asarray(np.maximum(_convolve(image, f"{name}/1x1"), 0).mean(axis=(1, 2)))


def _convolve(image: Array, layer: str) -> Array:
    """A convolution that keeps the size, as one product of matrices."""
    kernel, bias = _weights()[f"{layer}/kernel"], _weights()[f"{layer}/bias"]
    high, wide, _, out = kernel.shape
    margins = ((0, 0), ((high - 1) // 2, high // 2), ((wide - 1) // 2, wide // 2), (0, 0))
    patches = np.lib.stride_tricks.sliding_window_view(np.pad(image, margins), (high, wide), axis=(1, 2))
    # Windows come as ..., channel, row, column; as row, column, channel they are copied by whole rows.
    flat = np.ascontiguousarray(np.moveaxis(patches, 3, 5)).reshape(*patches.shape[:3], -1)
    return np.asarray(flat @ kernel.reshape(-1, out) + bias)


def _halved(image: Array, rows: int) -> Array:
    count, high, wide, channels = image.shape
    blocks = image[:, : high // rows * rows, : wide // 2 * 2].reshape(
        count, high // rows, rows, wide // 2, 2, channels
    )
    return np.asarray(blocks.max(axis=(2, 4)))
