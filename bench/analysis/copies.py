"""The same answer for every copy of a track: other formats, rates, levels, speeds and a reversed channel."""

import itertools
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from bench.analysis.pieces import whole_set
from bench.analysis.rivals import ours
from bench.analysis.sounds import RATE
from essentia_api.decode import Decoding, find_ffmpeg

_SHARP = 2 ** (35 / 1200)
# What ffmpeg does to the stereo original, and how much faster the copy plays.
_COPIES: dict[str, tuple[list[str], str, float]] = {
    "mp3": ([], "mp3", 1.0),
    "m4a": ([], "m4a", 1.0),
    "ogg": (["-c:a", "libvorbis"], "ogg", 1.0),
    "22 kHz": (["-ar", "22050"], "wav", 1.0),
    "mono": (["-ac", "1"], "wav", 1.0),
    "-35 dB": (["-af", "volume=-35dB"], "wav", 1.0),
    "antiphase": (["-af", "pan=stereo|c0=c0|c1=-1*c0"], "flac", 1.0),
    "35 cents sharp": (["-af", f"asetrate={round(RATE * _SHARP)},aresample={RATE}"], "flac", _SHARP),
}


def robustness(count: int) -> dict[str, Any]:
    same: dict[str, list[bool]] = {name: [] for name in _COPIES}
    for piece in itertools.islice(whole_set(), 0, None, 88 // count):
        with tempfile.TemporaryDirectory() as folder:
            plain = _answer(Path(folder) / "plain.wav", piece.samples, [])
            for name, (options, suffix, faster) in _COPIES.items():
                copy = _answer(Path(folder) / f"copy.{suffix}", piece.samples, options)
                tempo = plain.bpm and copy.bpm and abs(copy.bpm - plain.bpm * faster) <= 0.05
                same[name].append(bool(tempo) and copy.key == plain.key)
    shares = {name: round(float(np.mean(found)), 3) for name, found in same.items()}
    print(
        "same tempo and key: " + ", ".join(f"{name} {share:.2f}" for name, share in shares.items()),
        flush=True,
    )
    return shares


def _answer(path: Path, samples: np.ndarray[Any, np.dtype[np.float32]], options: list[str]) -> Any:
    raw = ["-f", "f32le", "-ar", str(RATE), "-ac", "2", "-i", "pipe:0"]
    stereo = np.repeat(samples, 2)
    subprocess.run(
        [find_ffmpeg(), "-v", "error", "-y", *raw, *options, path], input=stereo.tobytes(), check=True
    )
    return ours(np.concatenate([part.copy() for part in Decoding(path, max_seconds=600)]))
