"""What the windows of a long recording say, put together."""

import numpy as np
import pytest

from dj_contracts.analysis import Energy, KeyCandidate, MeasuredKey, Tempo, TempoCandidate
from dj_contracts.keys import Key
from essentia_api.measure.join import join_energies, join_keys, join_rhythms
from essentia_api.measure.tempo import Rhythm


def rhythm(
    bpm: float | None, *, start: float = 0.0, seconds: float = 60.0, confidence: float = 0.9
) -> Rhythm:
    if bpm is None:
        return Rhythm(Tempo(), [], [])
    beats = np.arange(start, seconds, 60 / bpm).tolist()
    candidates = [TempoCandidate(bpm=bpm, score=1), TempoCandidate(bpm=bpm * 2, score=0.5)]
    tempo = Tempo(bpm=bpm, confidence=confidence, stable=True, candidates=candidates)
    return Rhythm(tempo, beats, beats[::4])


def key(name: str | None, confidence: float = 0.8) -> MeasuredKey:
    if name is None:
        return MeasuredKey()
    found = Key.parse(name)
    return MeasuredKey(
        name=name,
        tonic=found.tonic,
        mode=found.mode,
        camelot=found.camelot,
        confidence=confidence,
        candidates=[KeyCandidate(name="C major", camelot="8B", score=0.3)],
    )


def test_one_window_is_the_answer() -> None:
    assert join_rhythms([(60.0, rhythm(124))]) == rhythm(124)
    assert join_keys([(60.0, key("A minor"))]) == key("A minor")
    assert join_energies([(60.0, Energy(level=7, curve=[0.5]))]) == Energy(level=7, curve=[0.5])


def test_a_steady_recording_stays_steady_over_the_seams() -> None:
    period = 60 / 124
    first = 1.0
    second = (first - 60.0) % period
    joined = join_rhythms([(60.0, rhythm(124.0, start=first)), (60.0, rhythm(124.01, start=second))])
    assert joined.tempo.bpm == pytest.approx(124, abs=0.01)
    assert joined.tempo.stable
    assert joined.tempo.confidence == pytest.approx(0.9)
    assert np.diff(joined.beats) == pytest.approx(period, abs=0.002)
    assert joined.beats[-1] > 119


def test_the_tempo_of_most_of_a_mix_is_named_and_called_unsteady() -> None:
    joined = join_rhythms([(60.0, rhythm(bpm)) for bpm in (124.0, 128.0, 128.1, None)])
    assert joined.tempo.bpm == pytest.approx(128.05)
    assert joined.tempo.stable is False
    assert joined.tempo.confidence == pytest.approx(0.45)
    assert joined.tempo.candidates[0].bpm in (128.0, 128.1)
    assert joined.beats == sorted(set(joined.beats))
    assert joined.beats[-1] < 180


def test_windows_without_any_beat_have_no_tempo() -> None:
    assert join_rhythms([(60.0, rhythm(None)), (60.0, rhythm(None))]) == Rhythm(Tempo(), [], [])


def test_the_longest_and_surest_key_wins_and_the_others_are_named() -> None:
    joined = join_keys([(60.0, key("A minor")), (60.0, key("E minor", 0.6)), (30.0, key("A minor", 0.9))])
    assert (joined.name, joined.camelot) == ("A minor", "8A")
    assert joined.confidence == pytest.approx((60 * 0.8 + 30 * 0.9) / 150, abs=0.001)
    assert [(other.name, other.score) for other in joined.candidates] == [("E minor", 0.24)]
    assert join_keys([(60.0, key(None)), (60.0, key(None))]) == MeasuredKey()


def test_energy_is_the_mean_and_its_curve_runs_on() -> None:
    low, high = Energy(level=3, curve=[0.2] * 64), Energy(level=9, curve=[1.0] * 64)
    joined = join_energies([(60.0, low), (60.0, high), (60.0, high)])
    assert joined.level == 7
    assert len(joined.curve) == 64
    assert (joined.curve[5], joined.curve[60]) == (0.2, 1.0)
    assert join_energies([(60.0, Energy()), (60.0, Energy())]) == Energy()
