"""Essentia's own models of moods, where somebody mounts them: Discogs-EffNet, and small heads that read it.

They are taken in the ONNX form in which they are published beside the TensorFlow one, for the runtime is
here already. Their licence keeps them from being shipped: who mounts them has agreed to it.
"""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
from essentia import standard as es
from numpy.typing import NDArray

from dj_servicekit.logs import log
from essentia_api.decode import Samples
from essentia_api.measure.networks import LOUDNESS, open_network, spread_windows

BACKBONE = "discogs-effnet-bsdynamic-1.onnx"
_FRAME, _HOP, _BANDS = 512, 256, 96
_PATCH, _PATCH_HOP = 128, 62
_LAYER = 1280


@dataclass(frozen=True)
class Head:
    """A network of two likelihoods that add up to one: what each of them says, or None."""

    stem: str
    says: tuple[str | None, str | None]

    @property
    def file(self) -> str:
        return f"{self.stem}-discogs-effnet-1.onnx"


# The order of the two is that of the metadata published beside each head.
HEADS = (
    Head("danceability", ("danceability", None)),
    Head("mood_happy", ("happy", None)),
    Head("mood_sad", (None, "sad")),
    Head("mood_aggressive", ("aggressive", None)),
    Head("mood_relaxed", (None, "relaxed")),
    Head("mood_acoustic", ("acoustic", None)),
    Head("mood_electronic", ("electronic", None)),
    Head("voice_instrumental", ("instrumental", "vocal")),
)


@dataclass(frozen=True)
class Mounted:
    """What can be used of a folder, and of the rest why not."""

    backbone: onnxruntime.InferenceSession | None = None
    heads: dict[Head, onnxruntime.InferenceSession] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def has(self, file: str) -> bool:
        used = {head.file for head in self.heads}
        return file in used or (bool(used) and file == BACKBONE)

    def listen(self, samples: Samples) -> dict[str, float]:
        """What the heads say of a recording of at least a window, at the working level."""
        if self.backbone is None or not self.heads:
            return {}
        patches = np.concatenate([_patches(window) for window in spread_windows(samples)])
        (layer,) = [output.name for output in self.backbone.get_outputs() if output.shape[-1] == _LAYER]
        sound = self.backbone.run([layer], {self.backbone.get_inputs()[0].name: patches})[0]
        said: dict[str, float] = {}
        for head, network in self.heads.items():
            likelihoods = network.run(None, {network.get_inputs()[0].name: sound})[0].mean(axis=0)
            said |= {name: float(value) for name, value in zip(head.says, likelihoods, strict=True) if name}
        return said


NOTHING = Mounted()


@cache
def look_for_models(folder: Path | None) -> Mounted:
    """Once in the life of a process. A restart lets all of them see what was mounted meanwhile."""
    if folder is None:
        return NOTHING
    refused: dict[str, str] = {}

    def load(file: str, inputs: int, outputs: int) -> onnxruntime.InferenceSession | None:
        path = folder / file
        if not path.is_file():
            return None
        try:
            return _load(path, inputs, outputs)
        # The runtime's own errors have only Exception in common.
        except Exception as exc:  # noqa: BLE001
            refused[file] = f"It cannot be used: {exc}"[:300]
            log.warning("mounted_model_refused", file=file, reason=str(exc))
            return None

    backbone = load(BACKBONE, _BANDS, _LAYER)
    heads = {head: network for head in HEADS if (network := load(head.file, _LAYER, 2)) is not None}
    if backbone is None:
        refused = {
            head.file: f"It reads what {BACKBONE} hears, which is not there." for head in heads
        } | refused
        heads = {}
    elif not heads:
        refused[BACKBONE] = "No head that reads it is there, such as mood_happy-discogs-effnet-1.onnx."
    return Mounted(backbone, heads, refused)


def _patches(samples: Samples) -> NDArray[np.float32]:
    """Two-second pictures of the sound, half of each in the next: patches x frames x bands."""
    mel = es.TensorflowInputMusiCNN()
    frames = es.FrameGenerator(samples * np.float32(LOUDNESS), frameSize=_FRAME, hopSize=_HOP)
    picture = np.array([mel(frame) for frame in frames], dtype=np.float32)
    return np.array(
        [picture[at : at + _PATCH] for at in range(0, len(picture) - _PATCH + 1, _PATCH_HOP)],
        dtype=np.float32,
    )


def _load(path: Path, inputs: int, outputs: int) -> onnxruntime.InferenceSession:
    network = open_network(path)
    reads, gives = network.get_inputs(), [output.shape[-1] for output in network.get_outputs()]
    if len(reads) != 1 or reads[0].shape[-1] != inputs or gives.count(outputs) != 1:
        raise ValueError(
            f"it is another network than its name says ({inputs} in, {outputs} out are expected)."
        )
    return network
