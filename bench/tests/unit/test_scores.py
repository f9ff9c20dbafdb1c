"""The measures themselves: what they give for answers that are right, nearly right and wrong."""

import numpy as np
import pytest

from bench.analysis.scores import f_measure, fuller_parts, mirex, near, near_an_octave
from dj_contracts.keys import Key

_BEATS = np.arange(10, 20, 0.5)


@pytest.mark.parametrize(
    ("found", "worth"),
    [
        (_BEATS, 1.0),
        (_BEATS + 0.069, 1.0),
        (_BEATS + 0.071, 0.0),
        (_BEATS[::2], 2 * 10 / 30),
        (np.sort(np.concatenate([_BEATS, _BEATS + 0.25])), 2 * 20 / 60),
        (np.repeat(_BEATS, 2), 2 * 20 / 60),
        (np.array([]), 0.0),
    ],
)
def test_each_beat_may_be_found_once(
    found: np.ndarray[tuple[int], np.dtype[np.float64]], worth: float
) -> None:
    assert f_measure(found, _BEATS) == pytest.approx(worth)


@pytest.mark.parametrize(
    ("found", "worth"),
    [
        ("A minor", 1.0),
        ("E minor", 0.5),
        ("D minor", 0.5),
        ("C major", 0.3),
        ("A major", 0.2),
        ("Eb major", 0.0),
    ],
)
def test_keys_near_by_are_worth_something(found: str, worth: float) -> None:
    assert mirex(Key.parse(found), Key.parse("A minor")) == worth
    assert mirex(None, Key.parse("A minor")) == 0.0


def test_an_octave_is_not_the_tempo() -> None:
    assert near(126.0, 124.0)
    assert not near(62.0, 124.0)
    assert near_an_octave(62.0, 124.0)
    assert not near_an_octave(93.0, 124.0)
    assert not near_an_octave(None, 124.0)


def test_only_parts_that_are_plainly_fuller_are_compared() -> None:
    parts = [(0.0, 10.0, "h"), (10.0, 20.0, "bdh"), (20.0, 30.0, "cd"), (30.0, 40.0, "bcdhl")]
    rising = [(0.0, 20.0, 0.2), (20.0, 40.0, 0.8)]
    # bdh over h: a tie; bcdhl over h: right; bcdhl over bdh: right; bcdhl over cd: a tie.
    assert list(fuller_parts(parts, rising)) == [0.5, 1.0, 1.0, 0.5]
