"""What a trained network hears: vibenet's, which ships with its wheel.

The last layer before its seven answers is kept as the track's sound: 256 numbers that lie
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
from essentia_api.decode import Samples
from essentia_api.measure.networks import LOUDNESS, MODEL_RATE, open_network, spread_windows

NAME = "vibenet"
VERSION = version("vibenet")
_SOUND = f"{VERSION}-2"  # counted up when the network is given other numbers to hear

_FRAME, _HOP, _BANDS, _BINS = 640, 320, 128, 1024
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
    network = _network()
    heard = [network.run(None, {"x": _mel(window)[None]}) for window in spread_windows(samples)]
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


@cache
def _network() -> onnxruntime.InferenceSession:
    model = (files("vibenet") / "artifacts" / "efficientnet_model.onnx").read_bytes()
    return open_network(model + _one_more_output(_LAST_HIDDEN_LAYER))


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
    window = np.hanning(_FRAME + 1)[:-1].astype(np.float32) * np.float32(LOUDNESS)
    power = np.abs(np.fft.rfft(frames * window, n=_BINS, axis=1)) ** 2
    levels = 10 * np.log10(np.maximum(power @ _mel_bands(), _FLOOR)).T
    return np.asarray(np.maximum(levels, levels.max() - _RANGE_DB), dtype=np.float32)


@cache
def _mel_bands() -> NDArray[np.float32]:
    """Slaney's triangles of equal area: linear below 1 kHz, logarithmic above."""
    top = 15 + np.log(MODEL_RATE / 2 / 1000) / (np.log(6.4) / 27)
    mel = np.linspace(0, top, _BANDS + 2)
    edges = np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))
    bins = np.fft.rfftfreq(_BINS, 1 / MODEL_RATE)[:, None]
    rise = (bins - edges[:-2]) / np.diff(edges)[:-1]
    fall = (edges[2:] - bins) / np.diff(edges)[1:]
    bands = np.maximum(0, np.minimum(rise, fall)) * (2 / (edges[2:] - edges[:-2]))
    return np.asarray(bands, dtype=np.float32)
