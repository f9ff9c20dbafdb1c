"""Fits the weights of tempo level, bars and key on made-up styles, and prints them to be pasted.

    python -m bench.analysis.fit [--pieces 2000] [--pull 100]

Each is a softmax over a piece's candidates, of which the right ones are known: how likely the weights make
these is raised, while ``pull`` holds each weight near the one that stands, a large one more loosely. None of
the benchmark's own pieces is heard.
"""

import argparse
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.progress import track
from scipy.optimize import minimize

from bench.analysis.pieces import Piece
from bench.analysis.rhythms import Family, piece
from bench.analysis.scores import f_measure, near
from dj_contracts.keys import ALL_KEYS
from essentia_api.decode import Samples
from essentia_api.measure import bars, pulse, tonal
from essentia_api.measure.engine import WORKING_RMS
from essentia_api.measure.grid import lay_grid
from essentia_api.measure.onsets import Onsets, hear_onsets
from essentia_api.measure.pitches import Pitches, hear_pitches
from essentia_api.measure.tempocnn import likely_tempi

Table = NDArray[np.float64]
_RIGHT = 0.9  # of the beats and of the downbeats


@dataclass(frozen=True)
class Choice:
    """``evidence`` is candidates by weights; ``right`` are those that are."""

    evidence: Table
    right: NDArray[np.bool_]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pieces", type=int, default=2000)
    parser.add_argument("--pull", type=float, default=100.0)
    given = parser.parse_args()
    heard = list(gather(given.pieces))
    standing = {
        "level": np.array(list(pulse.WEIGHTS.values())),
        "bars": bars.WEIGHTS.ravel(),
        "key": tonal.weights(),
    }
    weights = {}
    for name, before in standing.items():
        choices = [of_piece[name] for of_piece in heard if name in of_piece]
        weights[name] = fitted(choices, before, given.pull)
        shares = [share_right(choices, tried) for tried in (before, weights[name])]
        print(f"{name}: {shares[0]:.3f} right before, {shares[1]:.3f} now")
    print("\npulse.WEIGHTS")
    for name, weight in zip(pulse.WEIGHTS, weights["level"], strict=True):
        print(f'    "{name}": {weight:.2f},')
    _print_rows("bars.WEIGHTS", weights["bars"].reshape(bars.WEIGHTS.shape))
    _print_rows("tonal.DEGREES, major and minor", weights["key"][:-1].reshape(-1, 12))
    print(f"\ntonal.SECOND_OPINION = {weights['key'][-1]:.2f}")


def _print_rows(name: str, rows: Table) -> None:
    print(f"\n{name}")
    for row in rows:
        print("    (" + ", ".join(f"{weight:.2f}" for weight in row) + "),")


def gather(pieces: int) -> Iterator[dict[str, Choice]]:
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        yield from track(pool.map(hear, range(pieces)), "Playing and hearing", total=pieces)


def hear(seed: int) -> dict[str, Choice]:
    played, family = piece(seed)
    samples = played.samples * np.float32(WORKING_RMS / float(np.std(played.samples)))
    onsets, pitches = hear_onsets(samples), hear_pitches(samples)
    choices = {"level": _level(played, samples, onsets), "key": _key(played, samples, pitches)}
    if (of_bars := _bars(played, family, onsets, pitches)) is not None:
        choices["bars"] = of_bars
    return choices


def _level(played: Piece, samples: Samples, onsets: Onsets) -> Choice:
    found = pulse.evidence(onsets, pulse.Repeats(onsets), likely_tempi(samples))
    evidence = np.array([[of[name] for name in pulse.WEIGHTS] for of in found.values()])
    assert played.bpm is not None
    return Choice(evidence, np.array([near(bpm, played.bpm) for bpm in found]))


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


def _key(played: Piece, samples: Samples, pitches: Pitches) -> Choice:
    heard = tonal.hear(pitches)
    evidence = tonal.evidence(heard, tonal.second_opinion(samples, heard.cents))
    return Choice(evidence, np.array([key == played.key for key in ALL_KEYS]))


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


def share_right(choices: list[Choice], weights: Table) -> float:
    return float(np.mean([choice.right[np.argmax(choice.evidence @ weights)] for choice in choices]))


if __name__ == "__main__":
    main()
