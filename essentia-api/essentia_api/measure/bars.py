"""Which reading of the beats is right, and which beats are downbeats: what falls on each sixteenth of a bar.

Kicks, snares, hats, changes of harmony and of bass, and the starts of sections each have places in a bar where
they belong in most music that people dance to. The weights come from bench/analysis/fit.py: row by row, how much
accents in bass, middle and treble, changes of harmony and of bass from beat to beat and from half beat to half
beat, and sections speak for a bar that starts at column 0.
"""
# ruff: noqa: E501 - the table of weights is one row a line

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from essentia_api.measure import onsets as onset_curves
from essentia_api.measure import pitches as pitch_levels
from essentia_api.measure.grid import Beats
from essentia_api.measure.onsets import Onsets
from essentia_api.measure.pitches import Pitches

Table = NDArray[np.float64]

_STEPS = 16
WEIGHTS = np.array([
    (1.09, -0.16, -0.41, 0.08, -0.32, -0.29, -0.20, -0.15, 0.35, -0.26, 0.14, -0.09, -0.05, -0.02, -0.18, -0.21),
    (0.25, -0.34, -0.02, -0.19, 0.11, -0.14, 0.04, -0.11, -0.21, -0.14, -0.01, -0.16, 0.11, -0.13, 0.22, -0.06),
    (-0.05, -0.46, -0.26, -0.19, 0.35, -0.37, 0.02, -0.21, 0.26, -0.33, -0.11, -0.13, 0.49, -0.40, -0.12, -0.05),
    (0.84, 0.65, 0.73, 0.18, -0.21, -0.32, -0.48, 0.06, -0.39, -0.16, 0.03, -0.30, -0.42, -0.48, -0.07, 0.44),
    (-0.16, -0.33, 0.25, -0.23, -0.07, 0.16, -0.00, 0.01, -0.07, -0.18, -0.00, 0.01, 0.22, 0.32, -0.17, 0.22),
    (-0.26, -0.06, -0.37, -0.05, -0.12, -0.08, 0.26, 0.09, -0.03, 0.34, 0.25, 0.08, 0.20, -0.03, 0.06, -0.27),
    (-0.08, 0.22, -0.04, 0.07, -0.01, -0.02, 0.01, -0.18, 0.01, 0.02, -0.15, -0.08, -0.01, -0.02, 0.17, 0.09),
    (0.47, 0.16, 0.21, -0.10, 0.03, -0.07, -0.26, -0.05, -0.15, -0.15, -0.26, -0.25, -0.16, -0.06, -0.10, 0.49),
])  # fmt: skip
_LOUD = 6.0  # one crash must not outweigh a hundred kicks
_BASS_STEPS = 60
_SECTION_BEATS = 8
_SECTION_BANDS = 13
_THREES_MARGIN = 0.05


@dataclass(frozen=True)
class Bars:
    beats: Beats
    downbeats: Beats


def find_bars(onsets: Onsets, pitches: Pitches, readings: list[Beats], period: float) -> Bars:
    changes = Changes(pitches, period)
    tables = [lay_table(onsets, changes, beats, period) for beats in readings]
    turned = np.array([[_fit(np.roll(table, -4 * turn, axis=1)) for turn in range(4)] for table in tables])
    reading, turn = (int(index) for index in np.unravel_index(np.argmax(turned), turned.shape))
    beats = readings[reading]
    if _in_threes(onsets, changes, beats):
        return Bars(beats, beats[_first_of_three(onsets, changes, beats) :: 3])
    return Bars(beats, beats[turn::4])


def _fit(table: Table) -> float:
    return float(np.sum(WEIGHTS * table))


class Changes:
    """How much the harmony, the bass and the whole arrangement change at each frame of the pitches."""

    def __init__(self, pitches: Pitches, period: float) -> None:
        levels = pitches.levels
        logs = np.log1p(30 * levels / (float(levels.mean()) or 1.0))
        self.beat = max(1, round(period * pitch_levels.RATE))
        half = max(1, round(period / 2 * pitch_levels.RATE))
        bass = logs[:, :_BASS_STEPS]
        self.harmony, self.bass = _turned(logs, self.beat), _turned(bass, self.beat)
        self.quick_harmony, self.quick_bass = _turned(logs, half), _turned(bass, half)
        self.sections = self._sections(logs)

    def _sections(self, logs: NDArray[np.float32]) -> Table:
        bands = logs.reshape(len(logs), _SECTION_BANDS, -1).mean(axis=2)
        width = max(2, _SECTION_BEATS * self.beat)
        after, before = _around(bands, width)
        change = _inside(np.linalg.norm(after - before, axis=1) / width, len(bands))
        reach = max(1, width // 4)
        highest = np.lib.stride_tricks.sliding_window_view(np.pad(change, reach), 2 * reach + 1).max(axis=1)
        return np.where(change == highest, change, 0) ** 2


def _turned(logs: NDArray[np.float32], width: int) -> Table:
    """How unlike each other the ``width`` frames after and before each are."""
    centred = logs - logs.mean(axis=1, keepdims=True)
    after, before = _around(centred, width)
    lengths = np.linalg.norm(after, axis=1) * np.linalg.norm(before, axis=1)
    return _inside(1 - (after * before).sum(axis=1) / np.maximum(lengths, 1e-9), len(logs))


def _around(rows: NDArray[np.float32], width: int) -> tuple[Table, Table]:
    """The sums of the ``width`` rows after and before each that has so many."""
    sums = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0, dtype=np.float64)])
    here = sums[width : len(rows) - width]
    return sums[2 * width : len(rows)] - here, here - sums[: max(0, len(rows) - 2 * width)]


def _inside(values: NDArray[np.float64], count: int) -> Table:
    """With as many zeros on either side as make them ``count``; zeros alone where a record is too short."""
    around = count - len(values)
    return np.pad(values, (around // 2, around - around // 2))


def lay_table(onsets: Onsets, changes: Changes, beats: Beats, period: float) -> Table:
    """Row by row, how much of each falls on each sixteenth of four beats."""
    fine = _positions(len(onsets.low), onset_curves.RATE, beats, period)
    coarse = _positions(len(changes.harmony), pitch_levels.RATE, beats, period)
    peaks = [_peaks(np.minimum(curve, _LOUD), fine) for curve in onsets.accents]
    turns = (changes.harmony, changes.bass, changes.quick_harmony, changes.quick_bass)
    levels = [_means(curve, coarse) for curve in turns]
    return np.stack([*peaks, *levels, _spread(changes.sections, coarse)])


def _positions(count: int, rate: float, beats: Beats, period: float) -> Table:
    """Each frame in beats, also before the first and after the last."""
    lead = int(beats[0] / period) + 1
    before = beats[0] - period * np.arange(lead, 0, -1)
    after = beats[-1] + period * np.arange(1, 9)
    clock = np.arange(count) / rate
    return np.interp(clock, np.concatenate([before, beats, after]), np.arange(-lead, len(beats) + 8))


def _peaks(curve: NDArray[np.floating], positions: Table) -> Table:
    bins = np.floor(positions * _STEPS + 2).astype(int) % (4 * _STEPS)
    means = np.bincount(bins, curve, 4 * _STEPS) / np.maximum(1, np.bincount(bins, minlength=4 * _STEPS))
    highest = means.reshape(_STEPS, 4).max(axis=1)
    return np.asarray(highest / (highest.std() + 0.1))


def _means(curve: Table, positions: Table) -> Table:
    bins = np.floor(positions * 4 + 0.5).astype(int) % _STEPS
    return _standard(np.bincount(bins, curve, _STEPS) / np.maximum(1, np.bincount(bins, minlength=_STEPS)))


def _spread(peaks: Table, positions: Table) -> Table:
    """Sections start between frames, so each counts for the steps around it."""
    found = np.flatnonzero(peaks)
    away = np.abs((np.arange(_STEPS) - positions[found, None] * 4 + 8) % _STEPS - 8)
    return _standard((peaks[found, None] * np.exp(-0.5 * (away / 0.7) ** 2)).sum(axis=0))


def _standard(values: Table) -> Table:
    return np.asarray((values - values.mean()) / (values.std() + 1e-3))


def _on_beats(onsets: Onsets, changes: Changes, beats: Beats) -> Table:
    """Kick, middle, harmony and bass at each beat, standardised."""
    rows = []
    for curve, rate in (
        (onsets.low, onset_curves.RATE),
        (onsets.middle, onset_curves.RATE),
        (changes.harmony, pitch_levels.RATE),
        (changes.bass, pitch_levels.RATE),
    ):
        nearest = np.clip(np.round(beats * rate).astype(int), 1, len(curve) - 2)
        rows.append(_standard(np.maximum(curve[nearest], np.maximum(curve[nearest - 1], curve[nearest + 1]))))
    return np.array(rows)


def _in_threes(onsets: Onsets, changes: Changes, beats: Beats) -> bool:
    """Whether beats are more like those three and six later than those two, four and eight later."""
    if len(beats) < 24:
        return False
    rows = _on_beats(onsets, changes, beats)

    def alike(lag: int) -> float:
        return float(np.mean(rows[:, :-lag] * rows[:, lag:]))

    return (alike(3) + alike(6)) / 2 > max((alike(4) + alike(8)) / 2, alike(2)) + _THREES_MARGIN


def _first_of_three(onsets: Onsets, changes: Changes, beats: Beats) -> int:
    rows = _on_beats(onsets, changes, beats)
    weight = rows[0] + rows[2] + rows[3] - 0.5 * rows[1]
    return int(np.argmax([weight[first::3].mean() for first in range(3)]))
