"""Files of many formats, written by the real ffmpeg."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from essentia_api.decode import SAMPLE_RATE, find_ffmpeg
from essentia_api.testing import Write


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write samples, mono or (frames, channels), through ffmpeg in the format that the name asks for."""

    def write_file(name: str, samples: NDArray[np.float32], *arguments: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        channels = 1 if samples.ndim == 1 else samples.shape[1]
        subprocess.run(
            [
                find_ffmpeg(), "-v", "error", "-y", "-f", "f32le",
                "-ar", str(SAMPLE_RATE), "-ac", str(channels),
                "-i", "pipe:0", *arguments, f"file:{path}",
            ],
            input=samples.astype(np.float32).tobytes(),
            check=True,
        )  # fmt: skip
        return path

    return write_file
