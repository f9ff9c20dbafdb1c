"""Essentia's own models, as somebody mounts them: networks of ours with the inputs and outputs of theirs."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from dj_contracts.analysis import Part
from essentia_api.measure.effnet import BACKBONE, look_for_models
from essentia_api.measure.engine import ENGINE_VERSION, analyze
from essentia_api.models import list_models
from essentia_api.testing import house_loop

PARTS = frozenset({Part.MOODS, Part.DANCEABILITY, Part.EMBEDDING})


def network(path: Path, nodes: list[Any], weights: dict[str, Any], reads: Any, gives: list[Any]) -> None:
    held = [numpy_helper.from_array(array.astype(np.float32), name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "g", [reads], gives, held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def value(name: str, *shape: int | str) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))


def mount_backbone(folder: Path) -> None:
    """The mean of each band, spread over the layer; what it hears decides nothing here but that it hears."""
    network(
        folder / BACKBONE,
        [
            helper.make_node("ReduceMean", ["melspectrogram"], ["bands"], axes=[1], keepdims=0),
            helper.make_node("MatMul", ["bands", "spread"], ["embeddings"]),
            helper.make_node("MatMul", ["bands", "styles"], ["activations"]),
        ],
        {"spread": np.full((96, 1280), 1 / 96), "styles": np.zeros((96, 400))},
        value("melspectrogram", "n", 128, 96),
        [value("activations", "n", 400), value("embeddings", "n", 1280)],
    )


def mount_head(folder: Path, stem: str, *, first: float, reads: int = 1280) -> None:
    """Says ``first`` for its first class, whatever it reads."""
    network(
        folder / f"{stem}-discogs-effnet-1.onnx",
        [
            helper.make_node("MatMul", ["model/Placeholder", "nothing"], ["none"]),
            helper.make_node("Add", ["none", "leaning"], ["sum"]),
            helper.make_node("Softmax", ["sum"], ["model/Softmax"]),
        ],
        {"nothing": np.zeros((reads, 2)), "leaning": np.log([first, 1 - first])},
        value("model/Placeholder", "n", reads),
        [value("model/Softmax", "n", 2)],
    )


def measure(folder: Path | None) -> Any:
    return analyze([house_loop(seconds=12)], PARTS, look_for_models(folder))


def test_mounted_heads_are_heard_instead_and_the_answer_says_so(tmp_path: Path) -> None:
    mount_backbone(tmp_path)
    for stem, first in {
        "mood_happy": 0.9,
        "mood_sad": 0.8,
        "danceability": 0.7,
        "voice_instrumental": 0.6,
    }.items():
        mount_head(tmp_path, stem, first=first)
    without, heard = measure(None), measure(tmp_path)
    # The second class of mood_sad is the sad one.
    assert heard.moods == without.moods | {"happy": 0.9, "sad": 0.2, "instrumental": 0.6, "vocal": 0.4}
    assert heard.danceability == 0.7
    assert heard.embedding == without.embedding
    assert heard.engine_version == f"{ENGINE_VERSION}+discogs-effnet"
    assert "vibenet" in heard.models["moods"]
    assert "mood_happy, mood_sad, voice_instrumental" in heard.models["moods"]
    assert heard.models["danceability"] == "Essentia's danceability-discogs-effnet-1"
    assert without.engine_version == ENGINE_VERSION


def test_the_network_hears_the_sound_at_one_level_in_pictures_of_two_seconds(tmp_path: Path) -> None:
    mount_backbone(tmp_path)
    network(
        tmp_path / "mood_happy-discogs-effnet-1.onnx",
        [
            helper.make_node("MatMul", ["model/Placeholder", "mean"], ["level"]),
            helper.make_node("Softmax", ["level"], ["model/Softmax"]),
        ],
        {"mean": np.stack([np.full(1280, 1 / 1280), np.zeros(1280)], axis=1)},
        value("model/Placeholder", "n", 1280),
        [value("model/Softmax", "n", 2)],
    )
    loop = house_loop(seconds=12)
    mounted = look_for_models(tmp_path)
    loud, quiet = (analyze([loop * np.float32(level)], PARTS, mounted) for level in (1.0, 0.01))
    assert loud.moods["happy"] == quiet.moods["happy"]
    # The mean of the bands is that of log10(1 + 10,000 x power): above nothing, below a full scale in all.
    level = np.log(loud.moods["happy"] / (1 - loud.moods["happy"]))
    assert 0.3 < level < 4


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("mood_happy-discogs-effnet-1.onnx", "another network"),
        ("mood_sad-discogs-effnet-1.onnx", "cannot be used"),
        ("mood_happy-discogs-effnet-1.pb", "TensorFlow form"),
        ("other.onnx", "no use for it"),
    ],
)
def test_a_model_that_cannot_be_used_is_called_so_and_harms_nobody(
    tmp_path: Path, file: str, words: str
) -> None:
    mount_backbone(tmp_path)
    mount_head(tmp_path, "mood_relaxed", first=0.25)
    mount_head(tmp_path, "mood_happy", first=0.9, reads=200)
    (tmp_path / "mood_sad-discogs-effnet-1.onnx").write_bytes(b"not a network")
    (tmp_path / "mood_happy-discogs-effnet-1.pb").write_bytes(b"x")
    (tmp_path / "other.onnx").write_bytes(b"x")
    assert measure(tmp_path).moods == measure(None).moods | {"relaxed": 0.75}
    answer = list_models(tmp_path)
    judged = {model.file: model for model in answer.mounted}
    assert [model.file for model in answer.mounted if model.used] == [
        BACKBONE,
        "mood_relaxed-discogs-effnet-1.onnx",
    ]
    assert words in judged[file].reason
    assert answer.engine_version == f"{ENGINE_VERSION}+discogs-effnet"


@pytest.mark.parametrize("alone", ["backbone", "head"])
def test_half_of_what_is_needed_is_not_used(tmp_path: Path, alone: str) -> None:
    if alone == "backbone":
        mount_backbone(tmp_path)
    else:
        mount_head(tmp_path, "mood_happy", first=0.9)
    assert measure(tmp_path) == measure(None)
    answer = list_models(tmp_path)
    assert [model.used for model in answer.mounted] == [False]
    assert answer.engine_version == ENGINE_VERSION
