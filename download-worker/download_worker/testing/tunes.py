"""Tunes that sound different from each other, as real audio files. For tests and benchmarks."""

import math
import random
import subprocess
import wave
from array import array
from pathlib import Path

_RATE = 11025
_NOTE_SECONDS = 0.2


def write_tune(path: Path, seed: int, seconds: float, ffmpeg: str, *, silence_before: float = 0.0) -> Path:
    """Chords that wander as the seed has them, in the form that the suffix names."""
    chance = random.Random(seed)  # noqa: S311 - a tune, not a secret
    samples = array("h", [0] * int(silence_before * _RATE))
    length = int(_NOTE_SECONDS * _RATE)
    for _ in range(math.ceil(seconds / _NOTE_SECONDS)):
        tones = [220 * 2 ** (chance.randrange(24) / 12) for _ in range(3)]
        steps = [2 * math.pi * tone / _RATE for tone in tones]
        samples.extend(
            int(6000 * (1 - place / length) * sum(math.sin(step * place) for step in steps))
            for place in range(length)
        )
    plain = path.with_suffix(".plain.wav")
    with wave.open(str(plain), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(samples[: int((seconds + silence_before) * _RATE)].tobytes())
    words = [ffmpeg, "-v", "error", "-i", str(plain), "-ar", "44100", "-y", str(path)]
    subprocess.run(words, check=True, timeout=120)
    plain.unlink()
    return path
