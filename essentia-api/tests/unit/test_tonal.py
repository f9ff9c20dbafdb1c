from collections.abc import Callable, Sequence

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


def noise_hits() -> Samples:
    hits = np.random.default_rng(3).standard_normal(4 * SAMPLE_RATE) * 0.3
    return (hits * np.exp(-(np.arange(len(hits)) % (SAMPLE_RATE // 2)) / 1000)).astype(np.float32)


def kicks() -> Samples:
    clock = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    kick = 0.7 * np.sin(2 * np.pi * (58 * clock + 2 * (1 - np.exp(-30 * clock)))) * np.exp(-12 * clock)
    return np.tile(kick, 16).astype(np.float32)


@pytest.mark.parametrize("name", _LOOPS)
@pytest.mark.parametrize("drums", [noise_hits, kicks])
def test_neither_silence_nor_drums_at_either_end_hide_where_it_starts(
    name: str, drums: Callable[[], Samples]
) -> None:
    rest = np.zeros(_TAIL, dtype=np.float32)
    assert measure_key(np.concatenate([rest, drums(), chords(_LOOPS[name] * 4), drums(), rest])).name == name


@pytest.mark.parametrize(("last", "name"), [("C", "C major"), ("Am", "A minor")])
def test_of_two_pieces_that_differ_in_their_last_chord_each_is_in_its_own_key(last: str, name: str) -> None:
    assert measure_key(chords([*["F", "C", "G", "Am"] * 4, last], each=1.5)).name == name


def test_a_long_record_is_in_the_key_of_most_of_it() -> None:
    most, middle = chords(["C", "F", "G", "C"] * 8), chords(["F#", "B", "C#", "F#"] * 12)
    assert measure_key(np.concatenate([most, most, middle, most, most])).name == "C major"


def test_no_other_key_is_likelier_than_that_of_a_tone_alone_and_none_is_likely() -> None:
    clock = np.arange(20 * SAMPLE_RATE) / SAMPLE_RATE
    key = measure_key((0.1 * np.sin(2 * np.pi * 440 * clock)).astype(np.float32))
    assert max(candidate.score for candidate in key.candidates) <= key.confidence < 0.1


def test_the_key_is_surer_of_chords_that_say_it_than_of_a_loop_that_may_be_either() -> None:
    plain = measure_key(chords(["Am", "Dm", "E", "Am"] * 3))
    either = measure_key(chords(_LOOPS["A minor"] * 3))
    assert plain.name == "A minor"
    assert plain.confidence > either.confidence
    assert "C major" in {candidate.name for candidate in either.candidates}


@pytest.mark.parametrize("at", [0, 200_000, -2000])
def test_a_moment_of_sound_in_silence_has_the_key_of_its_chord(at: int) -> None:
    sound = np.zeros(10 * SAMPLE_RATE, dtype=np.float32)
    sound[at:][:2000] = chords(["Am"], each=1.0)[:2000]
    assert measure_key(sound).name == "A minor"
