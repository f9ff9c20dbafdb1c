"""Which model gives which part of an answer, and what becomes of models that somebody mounts."""

from pathlib import Path

from pydantic import BaseModel, Field

from dj_contracts.analysis import Part
from essentia_api.measure.effnet import Mounted, look_for_models
from essentia_api.measure.engine import models_with, version_with

_MODEL_FILES = (".pb", ".onnx")


class MountedModel(BaseModel):
    file: str
    used: bool
    reason: str


class ModelsAnswer(BaseModel):
    engine_version: str
    parts: dict[Part, str] = Field(description="What gives each part of an answer.")
    mounted: list[MountedModel] = Field(description="What lies in MODELS_DIR.")


def list_models(folder: Path | None) -> ModelsAnswer:
    mounted = look_for_models(folder)
    return ModelsAnswer(
        engine_version=version_with(mounted),
        parts=models_with(mounted),
        mounted=[_judge(file, mounted) for file in _files(folder)],
    )


def _files(folder: Path | None) -> list[str]:
    if folder is None or not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if path.suffix.lower() in _MODEL_FILES)


def _judge(file: str, mounted: Mounted) -> MountedModel:
    if file in mounted.refused:
        return MountedModel(file=file, used=False, reason=mounted.refused[file])
    if mounted.has(file):
        return MountedModel(file=file, used=True, reason="The parts above say what for.")
    if file.lower().endswith(".pb"):
        return MountedModel(
            file=file,
            used=False,
            reason="This is the TensorFlow form. Mount the .onnx file that is published beside it.",
        )
    return MountedModel(
        file=file, used=False, reason="This version has no use for it, or it was mounted after the start."
    )
