"""Fits the weights of tempo level, bars and key on made-up styles, and prints them to be pasted.

    python -m bench.analysis.fit [--pieces 2000] [--pull 3]

Each is a softmax over a piece's candidates, of which the right ones are known: how likely the weights make
these is raised, while ``pull`` holds each weight near the one that stands, a large one more loosely. None of
the benchmark's own pieces is heard.
"""

import argparse
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.progress import track
from scipy.optimize import minimize

from bench.analysis.pieces import Piece
from bench.analysis.rhythms import Family, piece
from bench.analysis.scores import f_measure, near
from dj_contracts.keys import ALL_KEYS, Mode
from essentia_api.decode import Samples
from essentia_api.measure import bars, pulse, tonal
from essentia_api.measure.grid import lay_grid
from essentia_api.measure.onsets import Onsets, hear_onsets
from essentia_api.measure.pitches import Pitches, hear_pitches
from essentia_api.measure.tempocnn import likely_tempi

Table = NDArray[np.float64]
_WORKING_RMS = 0.1
_RIGHT = 0.9  # of the beats and of the downbeats


@dataclass(frozen=True)
class Choice:
    """``evidence`` is candidates by weights; ``right`` are those that are."""

    evidence: Table
    right: NDArray[np.bool_]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pieces", type=int, default=2000)
    parser.add_argument("--pull", type=float, default=3.0)
    given = parser.parse_args()
    heard = list(gather(range(given.pieces)))
    for name, standing in (("level", level_weights()), ("bars", bars_weights()), ("key", key_weights())):
        choices = [choices[name] for choices in heard if name in choices]
        weights = fitted(choices, standing, given.pull)
        print(
            f"\n{name}: {share_right(choices, standing):.3f} right with the weights that stand, now", end=" "
        )
        print(f"{share_right(choices, weights):.3f}")
        print(
            np.array2string(weights.reshape(rows(name), -1), precision=2, max_line_width=140, separator=", ")
        )


def gather(seeds: Iterable[int]) -> Iterator[dict[str, Choice]]:
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        seeds = list(seeds)
        yield from track(pool.map(hear, seeds), "Playing and hearing", total=len(seeds))


def hear(seed: int) -> dict[str, Choice]:
    played, family = piece(seed)
    samples = played.samples * np.float32(_WORKING_RMS / float(np.std(played.samples)))
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
            found_downbeats = family.beats == 3 or f_measure(beats[turn::4], played.downbeats) > _RIGHT
            right.append(found_downbeats and f_measure(beats, played.beats) > _RIGHT)
    return Choice(np.array(evidence), np.array(right)) if evidence else None


def _key(played: Piece, samples: Samples, pitches: Pitches) -> Choice:
    heard = tonal.hear(pitches)
    second, strength = tonal.second_opinion(samples, heard.cents)
    evidence = np.zeros((len(ALL_KEYS), len(key_weights())))
    for row, key in zip(evidence, ALL_KEYS, strict=True):
        classes = [np.roll(tonal.standard(part), -key.tonic) for part in (heard.upper, heard.bass)]
        first = 24 * (key.mode is Mode.MINOR)
        row[first : first + 24] = np.concatenate(classes)
        row[-1] = strength * (key == second)
    return Choice(evidence, np.array([key == played.key for key in ALL_KEYS]))


def level_weights() -> Table:
    return np.array(list(pulse.WEIGHTS.values()))


def bars_weights() -> Table:
    return bars.WEIGHTS.ravel()


def key_weights() -> Table:
    """Major's degrees for the upper parts and the bass, minor's, and the second opinion's."""
    degrees = [part for mode in (Mode.MAJOR, Mode.MINOR) for part in tonal.DEGREES[mode]]
    return np.concatenate([*degrees, [tonal.SECOND_OPINION]])


def rows(name: str) -> int:
    return {"level": len(pulse.WEIGHTS), "bars": len(bars.WEIGHTS), "key": 1}[name]


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
