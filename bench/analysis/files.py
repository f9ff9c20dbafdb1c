"""Pieces as the files that people have."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.analysis.pieces import Piece
from bench.analysis.sounds import RATE, Sound
from essentia_api.decode import find_ffmpeg


def encoded(pieces: Iterator[Piece]) -> Iterator[tuple[Piece, Path]]:
    """Each piece as a file, mp3 and m4a by turns."""
    with tempfile.TemporaryDirectory() as folder:
        for index, piece in enumerate(pieces):
            path = Path(folder) / f"piece.{('mp3', 'm4a')[index // 2 % 2]}"
            write(path, piece.samples)
            yield piece, path


def write(path: Path, samples: Sound) -> None:
    """Mono, or frames by two."""
    raw = ["-f", "f32le", "-ar", str(RATE), "-ac", str(samples.ndim), "-i", "pipe:0"]
    command = [find_ffmpeg(), "-v", "error", "-y", *raw, "-b:a", "192k", str(path)]
    subprocess.run(command, input=samples.tobytes(), check=True)
