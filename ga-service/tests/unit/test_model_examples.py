"""The worked examples of the model: what a DJ would say, held against what the model says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dj_contracts.keys import ALL_KEYS, Key, find_key
from ga_service import model
from ga_service.costs import Costs
from ga_service.tracks import read_tracks


@pytest.mark.parametrize(("a", "b", "score", "words"), model.KEY_EXAMPLES)
def test_key_examples(a: str, b: str, score: int, words: str) -> None:
    assert model.key_score(Key.parse(a), Key.parse(b)) == score
    assert model.key_move_words(Key.parse(a), Key.parse(b)) == words


@pytest.mark.parametrize(("a", "b", "score", "percent"), model.TEMPO_EXAMPLES)
def test_tempo_examples(a: float, b: float, score: int, percent: float) -> None:
    assert model.tempo_score(a, b) == score
    assert model.tempo_move(a, b).change_percent == pytest.approx(percent, abs=0.05)


@pytest.mark.parametrize(("a", "b", "score"), model.ENERGY_EXAMPLES)
def test_energy_examples(a: float, b: float, score: int) -> None:
    assert model.energy_score(a, b) == score


@pytest.mark.parametrize(("key", "ratio", "heard"), model.SHIFT_EXAMPLES)
def test_key_shift_examples(key: str, ratio: float, heard: str) -> None:
    assert model.heard_key(Key.parse(key), ratio) == Key.parse(heard)


def test_without_key_lock_the_key_that_is_heard_counts() -> None:
    # At +6 % A minor is heard as B flat minor, and G sharp minor as A minor.
    tracks = read_tracks([{"key": "Am", "bpm": 127.2}, {"key": "Am", "bpm": 120}, {"key": "G#m", "bpm": 120}])
    locked, free = Costs(tracks), Costs(tracks, key_lock=False)
    assert [locked.parts(0, b)["key"] for b in (1, 2)] == [1000, 250]
    assert [free.parts(0, b)["key"] for b in (1, 2)] == [500, 1000]


def test_compatible_moves_beat_every_other_move() -> None:
    for a in ALL_KEYS:
        good = [model.key_score(a, b) for b in ALL_KEYS if model.is_compatible(a, b)]
        bad = [model.key_score(a, b) for b in ALL_KEYS if not model.is_compatible(a, b)]
        assert len(good) == 4
        assert min(good) > max(bad)


@given(st.floats(20, 400), st.floats(20, 400))
def test_tempo_costs_the_same_in_both_directions(a: float, b: float) -> None:
    assert model.tempo_score(a, b) == model.tempo_score(b, a)


SPELLINGS = [
    ("A minor", "Am", "8A", "1m", "a min"),
    ("Bb minor", "A#m", "3A", "B♭ minor", "8m"),
    ("F# major", "Gb", "2B", "7d", "F♯ maj"),
]


@pytest.mark.parametrize("spellings", SPELLINGS)
def test_a_spelling_changes_no_cost(spellings: tuple[str, ...]) -> None:
    for other in ("C major", "9A", "Eb minor"):
        costs = {
            Costs(read_tracks([{"key": s, "bpm": 120}, {"key": other, "bpm": 121}])).cost(0, 1)
            for s in spellings
        }
        assert len(costs) == 1
    assert all(find_key(spelling) == Key.parse(spellings[0]) for spelling in spellings)
