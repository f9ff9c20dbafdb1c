"""Grows the trees for the tempo level and fits the weights of bars and key, on made-up styles.

    python -m bench.analysis.fit [--pieces 8000] [--pull 3]

Trees learn how likely a tempo is the one that was played, and are written where essentia-api reads them. Bars
and keys are a softmax over a piece's candidates, of which the right ones are known: how likely the weights
make these is raised. Each weight of bars is held near the one that stands by ``pull``, each of keys near
nothing; they are printed to be pasted. None of the benchmark's own pieces is heard. LightGBM comes with:
uv sync --all-packages --group bench
"""

import argparse
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray
from rich.progress import track
from scipy.optimize import minimize

from bench.analysis.pieces import Piece
from bench.analysis.rhythms import Family, piece
from bench.analysis.scores import f_measure, near
from dj_contracts.keys import ALL_KEYS
from essentia_api.decode import Samples
from essentia_api.measure import bars, forest, pulse, tonal
from essentia_api.measure.engine import WORKING_RMS
from essentia_api.measure.grid import lay_grid
from essentia_api.measure.onsets import Onsets, hear_onsets
from essentia_api.measure.pitches import Pitches, hear_pitches
from essentia_api.measure.tempocnn import likely_tempi

Table = NDArray[np.float64]
_RIGHT = 0.9  # of the beats and of the downbeats
# Few of the columns at a time: forests that see all of them learn the made-up styles, and records less.
_TREES = {
    "objective": "binary", "learning_rate": 0.05, "num_leaves": 20, "min_data_in_leaf": 20,
    "feature_fraction": 0.06, "bagging_fraction": 0.7, "bagging_freq": 1, "lambda_l2": 5.0,
    "deterministic": True, "force_row_wise": True, "verbose": -1,
}  # fmt: skip
_ROUNDS, _SEEDS = 300, (1, 2, 3, 4, 5, 6)
_KEY_PULL = 7.5


@dataclass(frozen=True)
class Choice:
    """``evidence`` is candidates by weights; ``right`` are those that are."""

    evidence: Table
    right: NDArray[np.bool_]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pieces", type=int, default=8000, help="how many are played and heard")
    parser.add_argument("--pull", type=float, default=3.0, help="how loosely the weights of bars are held")
    given = parser.parse_args()
    heard = list(gather(given.pieces))
    levels = [of_piece["level"] for of_piece in heard]
    path = Path(forest.__file__).with_name("level.npz")
    np.savez_compressed(path, allow_pickle=False, **grown(levels))
    level = forest.Forest.of("level")
    print(
        f"level: {share_right(levels, [level.scores(one.evidence) for one in levels]):.3f} right, in {path}"
    )
    print_fitted("bars", heard, bars.WEIGHTS, bars.WEIGHTS, given.pull)
    print_fitted("key", heard, tonal.WEIGHTS, np.zeros(tonal.WEIGHTS.shape), _KEY_PULL)


def print_fitted(name: str, heard: list[dict[str, Choice]], now: Table, standing: Table, pull: float) -> None:
    choices = [of_piece[name] for of_piece in heard if name in of_piece]
    found = fitted(choices, standing.ravel(), pull)
    for word, weights in (("before", now.ravel()), ("now", found)):
        right = share_right(choices, [choice.evidence @ weights for choice in choices])
        print(f"{name}: {right:.3f} right {word}")
    for row in found.reshape(-1, now.shape[-1]):
        print("    (" + ", ".join(f"{weight:.2f}" for weight in row) + "),")


def gather(pieces: int) -> Iterator[dict[str, Choice]]:
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        yield from track(pool.map(hear, range(pieces)), "Playing and hearing", total=pieces)


def hear(seed: int) -> dict[str, Choice]:
    played, family = piece(seed)
    samples = played.samples * np.float32(WORKING_RMS / float(np.std(played.samples)))
    onsets, pitches = hear_onsets(samples), hear_pitches(samples)
    choices = {"level": _level(played, samples, onsets)}
    if (of_bars := _bars(played, family, onsets, pitches)) is not None:
        choices["bars"] = of_bars
    if (heard := tonal.hear(samples, pitches)) is not None:
        right = np.array([key == played.key for key in ALL_KEYS])
        choices["key"] = Choice(tonal.lay_table(heard), right)
    return choices


def _level(played: Piece, samples: Samples, onsets: Onsets) -> Choice:
    found = pulse.evidence(onsets, pulse.Repeats(onsets), likely_tempi(samples))
    assert played.bpm is not None
    return Choice(np.array(list(found.values())), np.array([near(bpm, played.bpm) for bpm in found]))


def _bars(played: Piece, family: Family, onsets: Onsets, pitches: Pitches) -> Choice | None:
    assert played.bpm is not None
    grid = lay_grid(onsets, played.bpm)
    changes = bars.Changes(pitches, grid.period)
    evidence, right = [], []
    for beats in grid.readings:
        table = bars.lay_table(onsets, changes, beats, grid.period)
        for turn in range(4):
            evidence.append(np.roll(table, -4 * turn, axis=1).ravel())
            # Threes are told by other means, so that each turn of theirs is as good.
            bars_found = beats[turn :: family.beats]
            found_downbeats = family.beats == 3 or f_measure(bars_found, played.downbeats) > _RIGHT
            right.append(found_downbeats and f_measure(beats, played.beats) > _RIGHT)
    return Choice(np.array(evidence), np.array(right)) if evidence else None


def grown(choices: list[Choice]) -> dict[str, NDArray[Any]]:
    """What forest.Forest is made of: the mean of several forests."""
    evidence = np.concatenate([choice.evidence for choice in choices])
    right = np.concatenate([choice.right for choice in choices])
    nodes: list[tuple[int, float, int, int, float]] = []
    depths = [0]

    def laid(node: dict[str, Any], depth: int) -> int:
        at = len(nodes)
        nodes.append((0, 0.0, at, at, node.get("leaf_value", 0.0) / len(_SEEDS)))
        if "split_feature" in node:
            ways = (laid(node[way], depth + 1) for way in ("left_child", "right_child"))
            nodes[at] = (node["split_feature"], node["threshold"], *ways, 0.0)
        depths.append(depth)
        return at

    roots = []
    for seed in _SEEDS:
        found = lightgbm.train(_TREES | {"seed": seed}, lightgbm.Dataset(evidence, right), _ROUNDS)
        roots += [laid(tree["tree_structure"], 0) for tree in found.dump_model()["tree_info"]]
    kinds = {
        "column": np.int16,
        "limit": np.float32,
        "left": np.int32,
        "right": np.int32,
        "worth": np.float32,
    }
    parts = zip(kinds.items(), zip(*nodes, strict=True), strict=True)
    stored: dict[str, NDArray[Any]] = {name: np.array(part, kind) for (name, kind), part in parts}
    sizes = {"depth": np.array(max(depths)), "columns": np.array(evidence.shape[1])}
    return stored | sizes | {"roots": np.array(roots, np.int32)}


def fitted(choices: list[Choice], standing: Table, pull: float) -> Table:
    """Choices without a right candidate, or with no wrong one, teach nothing."""
    telling = [choice for choice in choices if choice.right.any() and not choice.right.all()]
    evidence = np.concatenate([choice.evidence for choice in telling])
    right = np.concatenate([choice.right for choice in telling]).astype(np.float64)
    sizes = np.array([len(choice.right) for choice in telling])
    starts = np.cumsum(sizes) - sizes
    scale = np.maximum(np.abs(standing), 0.5)

    def loss(weights: Table) -> tuple[float, Table]:
        scores = evidence @ weights
        chances = np.exp(scores - np.repeat(np.maximum.reduceat(scores, starts), sizes))
        chances /= np.repeat(np.add.reduceat(chances, starts), sizes)
        found = np.add.reduceat(chances * right, starts) + 1e-12
        slope = evidence.T @ (chances - chances * right / np.repeat(found, sizes))
        away = (weights - standing) / scale
        return -float(np.log(found).sum()) + pull * float(away @ away), slope + 2 * pull * away / scale

    return np.asarray(minimize(loss, standing, jac=True, method="L-BFGS-B").x)


def share_right(choices: list[Choice], scores: list[Table]) -> float:
    chosen = zip(choices, scores, strict=True)
    return float(np.mean([choice.right[np.argmax(of_choice)] for choice, of_choice in chosen]))


if __name__ == "__main__":
    main()
