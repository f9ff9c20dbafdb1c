"""Tempo, beats, downbeats, key and energy on audio with exact truth, beside Essentia's own and librosa.

    ./dj bench analysis [--seconds 64] [--quick] [--only ours]

The set is made here: 22 styles, each played two ways with several kinds of instruments, the second way held
back from all tuning. Files go through mp3 and m4a. One thread each; speed is audio seconds per CPU second.
librosa and the recorded instruments come with: uv sync --all-packages --group bench
"""

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench._load import save
from bench.analysis.copies import robustness
from bench.analysis.nothing import made_up_answers
from bench.analysis.pieces import Piece, whole_set
from bench.analysis.rivals import SYSTEMS
from bench.analysis.scores import f_measure, mirex, near, near_an_octave
from bench.analysis.sounds import RATE
from essentia_api.decode import Decoding, find_ffmpeg
from essentia_api.measure.engine import analyze_file
from essentia_api.measure.intensity import measure_energy

_COLUMNS = ("4 %", "octaves", "0.05 BPM", "beat F", "downbeat F", "MIREX", "exact")
_PLAINLY = 2  # steps of drive apart that anyone hears
_MEMORY = "--peak-memory-of"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=64.0, help="about the length of a piece")
    parser.add_argument("--quick", action="store_true", help="one piece in four")
    parser.add_argument("--only", choices=SYSTEMS, action="append", help="leave the others out")
    parser.add_argument(_MEMORY, type=Path, dest="memory", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.memory:
        peak_memory(given.memory)
        return
    pieces = itertools.islice(whole_set(given.seconds), 0, None, 3 if given.quick else 1)
    systems = given.only or list(SYSTEMS)
    results = accuracy(pieces, systems)
    results["copies"] = robustness(3 if given.quick else 8)
    results["nothing"] = made_up_answers()
    results["memory_mb"] = memory(600.0)
    save("analysis", results)


def encoded(pieces: Iterator[Piece]) -> Iterator[tuple[Piece, Path]]:
    """Each piece as a file, mp3 and m4a by turns."""
    with tempfile.TemporaryDirectory() as folder:
        for index, piece in enumerate(pieces):
            path = Path(folder) / f"piece.{('mp3', 'm4a')[index // 2 % 2]}"
            write(path, piece.samples)
            yield piece, path


def write(path: Path, samples: np.ndarray[Any, np.dtype[np.float32]]) -> None:
    command = [
        find_ffmpeg(),
        "-v",
        "error",
        "-y",
        "-f",
        "f32le",
        "-ar",
        str(RATE),
        "-ac",
        "1",
        "-i",
        "pipe:0",
    ]
    subprocess.run([*command, "-b:a", "192k", str(path)], input=samples.tobytes(), check=True)


def accuracy(pieces: Iterator[Piece], systems: list[str]) -> dict[str, Any]:
    rows: dict[tuple[str, str], list[tuple[float, ...]]] = defaultdict(list)
    wrong: dict[str, list[str]] = defaultdict(list)
    spent: dict[str, float] = defaultdict(float)
    heard, energies = 0.0, defaultdict(list)
    for piece, path in encoded(pieces):
        samples = np.concatenate([part.copy() for part in Decoding(path, max_seconds=600)], dtype=np.float32)
        heard += len(samples) / RATE
        assert piece.bpm is not None
        assert piece.key is not None
        for name in systems:
            began = time.process_time()
            answer = SYSTEMS[name](samples)
            spent[name] += time.process_time() - began
            match = mirex(answer.key, piece.key)
            row = (
                near(answer.bpm, piece.bpm), near_an_octave(answer.bpm, piece.bpm),
                answer.bpm is not None and abs(answer.bpm - piece.bpm) <= 0.05,
                f_measure(answer.beats, piece.beats), f_measure(answer.downbeats, piece.downbeats),
                match, match == 1.0,
            )  # fmt: skip
            rows[name, piece.half].append(row)
            if not row[0]:
                wrong[name].append(f"{piece.name}: {answer.bpm and round(answer.bpm, 1)}")
            if name == "ours":
                level = measure_energy(samples * np.float32(0.1 / np.std(samples)), answer.bpm)
                energies[piece.half].append((piece.drive, level.level or 0))
    table = {
        f"{name}, {half}": dict(zip(_COLUMNS, np.mean(found, axis=0).round(3).tolist(), strict=True))
        for (name, half), found in sorted(rows.items())
    }
    speed = {name: round(heard / seconds) for name, seconds in spent.items()}
    print_table(table, speed, {half: ordered(found) for half, found in energies.items()})
    return {
        "accuracy": table,
        "speed": speed,
        "tempo_wrong": dict(wrong),
        "energy_pairs": {half: ordered(found) for half, found in energies.items()},
        "energy_levels": {half: sorted(level for _, level in found) for half, found in energies.items()},
    }


def ordered(found: list[tuple[int, int]]) -> float:
    """The share of plainly different pairs that come in the right order; a tie is half right."""
    pairs = [
        (more > less) + 0.5 * (more == less)
        for (high, more), (low, less) in itertools.permutations(found, 2)
        if high - low >= _PLAINLY
    ]
    return round(float(np.mean(pairs)), 3) if pairs else 0.0


def print_table(table: dict[str, dict[str, float]], speed: dict[str, int], energy: dict[str, float]) -> None:
    print(f"{'':<22}" + "".join(f"{column:>11}" for column in _COLUMNS) + f"{'s per CPU s':>13}")
    for name, row in table.items():
        figures = "".join(f"{value:>11.3f}" for value in row.values())
        print(f"{name:<22}{figures}{speed[name.partition(',')[0]]:>13}")
    for half, share in energy.items():
        print(f"energy: plainly different pairs in the right order, {half}: {share:.3f}", flush=True)


def memory(seconds: float) -> int:
    """A fresh process measures a file that this one has written."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.mp3"
        piece = next(whole_set(64.0)).samples
        write(path, np.tile(piece, int(seconds * RATE / len(piece)) + 1)[: int(seconds * RATE)])
        command = [sys.executable, str(Path(__file__).parent), _MEMORY, str(path)]
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-2:]
    speed = round(seconds / float(answer[1]))
    print(f"{seconds / 60:.0f} minutes, everything: {answer[0]} MB at most, {speed} s per CPU s")
    return int(answer[0])


def peak_memory(path: Path) -> None:
    import resource

    before = _cpu_seconds()
    analyze_file(str(path), 3600)
    spent = _cpu_seconds() - before
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, spent)


def _cpu_seconds() -> float:
    """This process and its ffmpeg."""
    return sum(os.times()[:4])


if __name__ == "__main__":
    main()
