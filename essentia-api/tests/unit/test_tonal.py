from collections.abc import Sequence

import numpy as np
import pytest

from dj_contracts.keys import Key, Mode
from essentia_api.decode import SAMPLE_RATE, Samples
from essentia_api.measure.tonal import measure_key

_THIRD = {Mode.MAJOR: 4, Mode.MINOR: 3}
_TAIL = 2 * SAMPLE_RATE


def chords(names: Sequence[str], *, each: float = 2.0) -> Samples:
    """Triads over their roots, one after another."""
    clock = np.arange(int(each * SAMPLE_RATE)) / SAMPLE_RATE
    played = []
    for name in names:
        key = Key.parse(name)
        pitches = (36 + key.tonic, *(48 + key.tonic + step for step in (0, _THIRD[key.mode], 7)))
        waves = [
            np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * partial * clock) / partial
            for pitch in pitches
            for partial in (1, 2, 3)
        ]
        played.append(np.sum(waves, axis=0) * np.exp(-clock) * 0.1)
    return np.concatenate(played).astype(np.float32)


_LOOPS = {"A minor": ["Am", "F", "C", "G"], "C major": ["C", "G", "Am", "F"]}


@pytest.mark.parametrize("name", _LOOPS)
def test_a_loop_of_the_same_four_chords_is_in_the_key_in_which_it_starts(name: str) -> None:
    assert measure_key(chords(_LOOPS[name] * 4)).name == name


@pytest.mark.parametrize("name", _LOOPS)
def test_neither_silence_nor_drums_at_either_end_hide_where_it_starts(name: str) -> None:
    hits = np.random.default_rng(3).standard_normal(4 * SAMPLE_RATE) * 0.3
    hits *= np.exp(-(np.arange(len(hits)) % (SAMPLE_RATE // 2)) / 1000)
    rest = np.zeros(_TAIL)
    sound = np.concatenate([rest, hits, chords(_LOOPS[name] * 4), hits, rest]).astype(np.float32)
    assert measure_key(sound).name == name


def test_a_piece_that_starts_elsewhere_is_in_the_key_in_which_it_ends() -> None:
    assert measure_key(chords(["F", "C", "G", "F", "C", "G", "F", "G", "C", "C"])).name == "C major"


def test_the_key_is_surer_of_chords_that_say_it_than_of_a_loop_that_may_be_either() -> None:
    plain = measure_key(chords(["Am", "Dm", "E", "Am"] * 3))
    either = measure_key(chords(_LOOPS["A minor"] * 3))
    assert plain.name == "A minor"
    assert plain.confidence > either.confidence
    assert "C major" in {candidate.name for candidate in either.candidates}


@pytest.mark.parametrize("at", [0, -2000])
def test_a_moment_of_sound_in_silence_is_answered(at: int) -> None:
    sound = np.zeros(10 * SAMPLE_RATE, dtype=np.float32)
    sound[at:][:2000] = chords(["Am"], each=1.0)[:2000]
    assert 0 <= measure_key(sound).confidence <= 1
