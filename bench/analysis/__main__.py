"""Tempo, beats, downbeats, key and energy on audio with exact truth, beside Essentia's own and librosa.

    ./dj bench analysis [--seconds 64] [--quick] [--only ours] [--part speed]

The set is made here: 22 styles, each played two ways with several kinds of instruments, the second way held
back from all tuning. Files go through mp3 and m4a. One thread each; speed is audio seconds per CPU second.
librosa and the recorded instruments come with: uv sync --all-packages --group bench
"""

import argparse
import itertools
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from bench._load import save
from bench.analysis.copies import robustness
from bench.analysis.files import encoded
from bench.analysis.nothing import made_up_answers
from bench.analysis.pieces import Piece, whole_set
from bench.analysis.rivals import SYSTEMS
from bench.analysis.scores import Span, f_measure, fuller_parts, mirex, near, near_an_octave
from bench.analysis.sounds import RATE
from bench.analysis.speed import speed
from dj_contracts.analysis import AnalysisResult, Part
from essentia_api.decode import Decoding
from essentia_api.measure.engine import analyze

_COLUMNS = ("4 %", "octaves", "0.05 BPM", "beat F", "downbeat F", "MIREX", "exact")
_ENERGY = frozenset({Part.TEMPO, Part.ENERGY, Part.SECTIONS})
_SHORTEST_PART = 4  # bars: what is shorter is no section of a track
_PLAINLY = 2  # steps of drive apart that anyone hears
_PARTS = ("accuracy", "copies", "nothing", "speed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=64.0, help="about the length of a piece")
    parser.add_argument("--quick", action="store_true", help="one piece in three")
    parser.add_argument("--only", choices=SYSTEMS, action="append", help="leave the others out")
    parser.add_argument("--part", choices=_PARTS, action="append", help="only this part of the benchmark")
    given = parser.parse_args()
    parts = given.part or list(_PARTS)
    results: dict[str, Any] = {}
    if "accuracy" in parts:
        pieces = itertools.islice(whole_set(given.seconds), 0, None, 3 if given.quick else 1)
        results |= accuracy(pieces, given.only or list(SYSTEMS))
    if "copies" in parts:
        results["copies"] = robustness(3 if given.quick else 8)
    if "nothing" in parts:
        results["nothing"] = made_up_answers()
    if "speed" in parts:
        results["speed_of_the_pool"] = speed()
    save("analysis", results)


def accuracy(pieces: Iterator[Piece], systems: list[str]) -> dict[str, Any]:
    rows: dict[tuple[str, str], list[tuple[float, ...]]] = defaultdict(list)
    wrong: dict[str, list[str]] = defaultdict(list)
    spent: dict[str, float] = defaultdict(float)
    heard, energies = 0.0, defaultdict(list)
    parts: dict[tuple[str, str], list[float]] = defaultdict(list)
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
                result = analyze([samples.copy()], _ENERGY)
                energies[piece.half].append((piece.drive, result.energy.level or 0))
                for kind, spans in energy_spans(result).items():
                    parts[kind, piece.half] += fuller_parts(long_parts(piece), spans)
    table = {
        f"{name}, {half}": dict(zip(_COLUMNS, np.mean(found, axis=0).round(3).tolist(), strict=True))
        for (name, half), found in sorted(rows.items())
    }
    per_second = {name: round(heard / seconds) for name, seconds in spent.items()}
    print_table(table, per_second)
    in_order = {f"pieces, {half}": ordered(found) for half, found in energies.items()}
    in_order |= {f"parts by {kind}, {half}": mean(found) for (kind, half), found in sorted(parts.items())}
    for name, share in in_order.items():
        print(f"energy: plainly different {name}, in the right order: {share:.3f}", flush=True)
    return {
        "accuracy": table,
        "speed": per_second,
        "tempo_wrong": dict(wrong),
        "energy_in_order": in_order,
        "energy_levels": {half: sorted(level for _, level in found) for half, found in energies.items()},
    }


def energy_spans(result: AnalysisResult) -> dict[str, list[Span]]:
    curve = result.energy.curve
    edges = np.linspace(0, result.duration_seconds, len(curve) + 1).tolist()
    return {
        "curve": list(zip(edges[:-1], edges[1:], curve, strict=True)),
        "section": [(part.start, part.end, part.energy or 0.0) for part in result.sections],
    }


def long_parts(piece: Piece) -> list[tuple[float, float, str]]:
    bar = float(np.median(np.diff(piece.downbeats)))
    return [part for part in piece.parts if round((part[1] - part[0]) / bar) >= _SHORTEST_PART]


def mean(found: list[float]) -> float:
    return round(float(np.mean(found)), 3) if found else 0.0


def ordered(found: list[tuple[int, int]]) -> float:
    """The share of plainly different pairs that come in the right order; a tie is half right."""
    pairs = [
        (more > less) + 0.5 * (more == less)
        for (high, more), (low, less) in itertools.permutations(found, 2)
        if high - low >= _PLAINLY
    ]
    return mean(pairs)


def print_table(table: dict[str, dict[str, float]], speed: dict[str, int]) -> None:
    print(f"{'':<22}" + "".join(f"{column:>11}" for column in _COLUMNS) + f"{'s per CPU s':>13}")
    for name, row in table.items():
        figures = "".join(f"{value:>11.3f}" for value in row.values())
        print(f"{name:<22}{figures}{speed[name.partition(',')[0]]:>13}")


if __name__ == "__main__":
    main()
