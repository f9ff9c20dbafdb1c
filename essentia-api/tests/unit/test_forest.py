"""The forest, and the evidence that it is given."""

import numpy as np
import pytest

from essentia_api.measure.forest import Forest
from essentia_api.measure.onsets import RATE, Curve, Onsets, hear_onsets
from essentia_api.measure.pulse import Repeats, at, evidence
from essentia_api.measure.spectra import correlations
from essentia_api.measure.tempocnn import likely_tempi
from essentia_api.testing import house_loop


def test_each_row_gathers_what_its_leaves_are_worth() -> None:
    forest = Forest(
        roots=np.array([0, 3], np.int32),
        column=np.array([1, 0, 0, 0], np.int16),
        limit=np.array([5, 0, 0, 0], np.float32),
        left=np.array([1, 1, 2, 3], np.int32),
        right=np.array([2, 1, 2, 3], np.int32),
        worth=np.array([0, -1, 2, 10], np.float32),
        depth=1,
        columns=2,
    )
    assert forest.scores(np.array([[9.0, 5.0], [0.0, 6.0]])).tolist() == [9.0, 12.0]


def test_the_level_was_grown_from_as_many_columns_as_there_are() -> None:
    loop = house_loop(seconds=20)
    onsets = hear_onsets(loop)
    rows = evidence(onsets, Repeats(onsets), likely_tempi(loop))
    assert {len(row) for row in rows.values()} == {Forest.of("level").columns}


def test_what_follows_is_told_from_what_leads() -> None:
    first, later = (np.zeros((2, 50), np.float32) for _ in range(2))
    first[:, 10] = later[:, 13] = 1
    alike = correlations(first, later)
    assert alike.shape == (2, 50)
    assert alike.argmax(axis=1).tolist() == [3, 3]
    assert correlations(later, first).max() < 1e-6


def test_the_snare_follows_the_kick_and_the_kick_does_not_follow_the_snare_as_soon() -> None:
    def played(every: int, first: int) -> Curve:
        strokes = np.zeros(3000, np.float32)
        strokes[first::every] = 3
        return strokes

    kick, snare = played(100, 10), played(100, 35)
    onsets = Onsets(kick, snare, snare, (kick, snare, snare), contrast=1.0, seconds=3000 / RATE)
    repeats = Repeats(onsets)
    soon, late = (at(repeats.following[0], frames / RATE) for frames in (25, 75))
    assert soon > 0.5 > late
    assert repeats.strokes[0] == pytest.approx(RATE / 100, rel=0.05)
