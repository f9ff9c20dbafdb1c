"""What a trained network hears: vibenet's, which ships with its wheel and runs on one thread.

It listens to short windows spread evenly over the track, so memory and time stay bounded however long the
track is. The last layer before its seven answers is kept as the track's sound: 256 numbers that lie
close together for tracks that sound alike.
"""

from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from importlib.resources import files

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from dj_contracts.analysis import Embedding
from essentia_api.decode import SAMPLE_RATE, Samples

NAME = "vibenet"
VERSION = version("vibenet")
_SOUND = f"{VERSION}-2"  # counted up when the network is given other numbers to hear

_WINDOW_SECONDS = 5
_MOST_WINDOWS = 12
_MODEL_RATE = 16_000
_FRAME, _HOP, _BANDS, _BINS = 640, 320, 128, 1024
_STRETCH, _OUTPUTS, _REACH, _CUTOFF = 441, 160, 128, 0.955  # 44.1 kHz to 16 kHz
_LOUDNESS = 2.0  # the network learned from finished records, about twice as loud as the working level
_FLOOR, _RANGE_DB = 1e-10, 80.0
_ANSWERS = (
    "acousticness", "danceability", "energy", "instrumentalness", "liveness", "speechiness", "valence",
)  # fmt: skip
_LIKELIHOODS = {"acousticness", "instrumentalness", "liveness"}
_LAST_HIDDEN_LAYER = b"gelu"


@dataclass(frozen=True)
class Heard:
    """What vibenet says, and what models that somebody mounted say, which goes first."""

    answers: dict[str, float]
    embedding: Embedding
    mounted: dict[str, float] = field(default_factory=dict)

    @property
    def danceability(self) -> float:
        return round(self.mounted.get("danceability", self.answers["danceability"]), 3)

    @property
    def moods(self) -> dict[str, float]:
        """The corners of valence and energy, and what the networks say outright."""
        valence, energy = self.answers["valence"], self.answers["energy"]
        acoustic, instrumental = self.answers["acousticness"], self.answers["instrumentalness"]
        moods = {
            "happy": valence * (1 + energy) / 2,
            "sad": (1 - valence) * (1 - energy),
            "aggressive": (1 - valence) * energy**2,
            "relaxed": (1 - energy) * (1 + valence) / 2,
            "acoustic": acoustic,
            "electronic": 1 - acoustic,
            "instrumental": instrumental,
            "vocal": 1 - instrumental,
        }
        return {name: round(self.mounted.get(name, value), 3) for name, value in moods.items()}


def listen(samples: Samples) -> Heard:
    """Expects at least a window of sound at the working level."""
    length = _WINDOW_SECONDS * SAMPLE_RATE
    count = max(1, min(_MOST_WINDOWS, len(samples) // length))
    starts = np.linspace(0, max(0, len(samples) - length), count).astype(int)
    network = _network()
    heard = [network.run(None, {"x": _mel(_resampled(samples[at : at + length]))[None]}) for at in starts]
    raw = np.asarray(np.mean([answers[0] for answers, _ in heard], axis=0, dtype=np.float64))
    sound = np.asarray(np.mean([layer[0] for _, layer in heard], axis=0, dtype=np.float64))
    sound /= np.linalg.norm(sound) or 1.0
    answers = {
        name: float(1 / (1 + np.exp(-value)) if name in _LIKELIHOODS else np.clip(value, 0, 1))
        for name, value in zip(_ANSWERS, raw.tolist(), strict=True)
    }
    # Five digits are as much as a float32 sum repeats from one processor to the next.
    vector = [round(value, 5) for value in sound.tolist()]
    return Heard(answers, Embedding(name=NAME, version=_SOUND, vector=vector))


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


@cache
def _network() -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    model = (files("vibenet") / "artifacts" / "efficientnet_model.onnx").read_bytes()
    return onnxruntime.InferenceSession(
        model + _one_more_output(_LAST_HIDDEN_LAYER), options, providers=["CPUExecutionProvider"]
    )


def _one_more_output(name: bytes) -> bytes:
    """A model file that has only this output; read after another, the two merge, as protobuf defines."""
    value = _field(1, name)
    return _field(7, _field(12, value))


def _field(number: int, content: bytes) -> bytes:
    if len(content) > 127:
        raise ValueError("A longer field needs a longer length than one byte.")
    return bytes([number << 3 | 2, len(content)]) + content


def _mel(samples: Samples) -> NDArray[np.float32]:
    """Decibels in mel bands, as the network was trained on: bands x frames."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, _FRAME)[::_HOP]
    window = np.hanning(_FRAME + 1)[:-1].astype(np.float32) * np.float32(_LOUDNESS)
    power = np.abs(np.fft.rfft(frames * window, n=_BINS, axis=1)) ** 2
    levels = 10 * np.log10(np.maximum(power @ _mel_bands(), _FLOOR)).T
    return np.asarray(np.maximum(levels, levels.max() - _RANGE_DB), dtype=np.float32)


@cache
def _mel_bands() -> NDArray[np.float32]:
    """Slaney's triangles of equal area: linear below 1 kHz, logarithmic above."""
    top = 15 + np.log(_MODEL_RATE / 2 / 1000) / (np.log(6.4) / 27)
    mel = np.linspace(0, top, _BANDS + 2)
    edges = np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))
    bins = np.fft.rfftfreq(_BINS, 1 / _MODEL_RATE)[:, None]
    rise = (bins - edges[:-2]) / np.diff(edges)[:-1]
    fall = (edges[2:] - bins) / np.diff(edges)[1:]
    bands = np.maximum(0, np.minimum(rise, fall)) * (2 / (edges[2:] - edges[:-2]))
    return np.asarray(bands, dtype=np.float32)
