"""Which model gives which part of an answer, and what becomes of models that somebody mounts."""

from pathlib import Path

from pydantic import BaseModel, Field

from dj_contracts.analysis import Part
from essentia_api.measure.engine import ENGINE_VERSION, HAS_TENSORFLOW, MODELS

_MODEL_FILES = (".pb", ".onnx")


class MountedModel(BaseModel):
    file: str
    used: bool
    reason: str


class ModelsAnswer(BaseModel):
    engine_version: str
    parts: dict[Part, str] = Field(description="What gives each part of an answer.")
    tensorflow: bool = Field(description="Can the installed Essentia run TensorFlow models?")
    mounted: list[MountedModel] = Field(description="What lies in MODELS_DIR.")


def list_models(folder: Path | None) -> ModelsAnswer:
    return ModelsAnswer(
        engine_version=ENGINE_VERSION,
        parts=MODELS,
        tensorflow=HAS_TENSORFLOW,
        mounted=[
            MountedModel(file=file, used=False, reason=_reason(file, HAS_TENSORFLOW))
            for file in _files(folder)
        ],
    )


def _files(folder: Path | None) -> list[str]:
    if folder is None or not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if path.suffix.lower() in _MODEL_FILES)


def _reason(file: str, tensorflow: bool) -> str:
    if file.lower().endswith(".pb") and not tensorflow:
        return (
            "The installed Essentia was built without TensorFlow and cannot run it. "
            "The parts above come from what is named beside them."
        )
    return "This version has no use for it. The parts above come from what is named beside them."
