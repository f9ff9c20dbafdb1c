"""What is measured in samples with known truth, and what is not made up."""

import numpy as np
import pytest

from dj_contracts.analysis import Tempo, TempoCandidate
from essentia_api.decode import SAMPLE_RATE
from essentia_api.measure.engine import analyze
from essentia_api.measure.intensity import measure_energy
from essentia_api.measure.tempo import measure_rhythm
from essentia_api.measure.tonal import measure_key
from essentia_api.testing import house_loop


@pytest.mark.parametrize("bpm", [100.5, 123.4, 140.25])
def test_a_steady_tempo_has_its_decimals(bpm: float) -> None:
    tempo = measure_rhythm(house_loop(bpm=bpm)).tempo
    assert tempo.bpm == pytest.approx(bpm, abs=0.05)
    assert tempo.stable


def test_the_beats_of_a_steady_track_lie_on_its_grid_to_the_end() -> None:
    start, period = 0.31, 60 / 123.4
    beats = np.array(measure_rhythm(house_loop(bpm=123.4, start=start)).beats)
    off = (beats - start + period / 2) % period - period / 2
    assert np.max(np.abs(off)) < 0.03
    assert np.diff(beats) == pytest.approx(period, abs=0.001)
    assert beats[-1] > 29


def test_a_tempo_comes_with_its_plausible_relatives() -> None:
    tempo = measure_rhythm(house_loop(bpm=87)).tempo
    ratios = {round(candidate.bpm / 87, 2) for candidate in tempo.candidates}
    assert {0.67, 0.75, 1.0, 1.33, 1.5, 2.0} <= ratios
    scores = [candidate.score for candidate in tempo.candidates]
    assert scores == sorted(scores, reverse=True)
    by_ratio = {round(candidate.bpm / 87, 2): candidate.score for candidate in tempo.candidates}
    assert by_ratio[1.0] > by_ratio[1.5]


@pytest.mark.parametrize(("bpm", "stated"), [(127.995, 128.0), (127.95, 127.95), (128.0, 128.0)])
def test_a_tempo_is_whole_where_the_beats_cannot_tell(bpm: float, stated: float) -> None:
    measured = measure_rhythm(house_loop(bpm=bpm, seconds=40)).tempo.bpm
    assert measured == (128 if stated == 128 else pytest.approx(stated, abs=0.011))


@pytest.mark.parametrize("bpm", [119.5, 124.0, 130.4, 134.2])
def test_the_beat_on_which_a_record_starts_is_the_first(bpm: float) -> None:
    rhythm = measure_rhythm(house_loop(bpm=bpm, seconds=40))
    assert rhythm.beats[0] == rhythm.downbeats[0] == pytest.approx(0, abs=0.02)
    assert rhythm.beats[1] == pytest.approx(60 / bpm, abs=0.02)


@pytest.mark.parametrize("mode", ["major", "minor"])
@pytest.mark.parametrize("tonic", range(12))
def test_every_key_is_heard(tonic: int, mode: str) -> None:
    key = measure_key(house_loop(tonic=tonic, mode=mode, seconds=16))
    assert (key.tonic, key.mode) == (tonic, mode)
    assert len({candidate.name for candidate in key.candidates} - {key.name}) == 3


def test_a_record_played_35_cents_sharp_keeps_its_key() -> None:
    plain = house_loop()
    faster = np.arange(0, len(plain) - 2, 2 ** (35 / 1200))
    key = measure_key(np.interp(faster, np.arange(len(plain)), plain).astype(np.float32))
    assert key.name == "A minor"
    assert key.tuning_cents == pytest.approx(35, abs=12)


@pytest.mark.parametrize("seed", range(4))
def test_white_noise_has_no_tempo_and_no_key(seed: int) -> None:
    noise = np.random.default_rng(seed).standard_normal(20 * SAMPLE_RATE).astype(np.float32) * 0.1
    assert measure_rhythm(noise).tempo.bpm is None
    assert measure_key(noise).name is None


def test_a_driving_track_has_more_energy_than_a_pad() -> None:
    clock = np.arange(20 * SAMPLE_RATE) / SAMPLE_RATE
    pad = np.sum([np.sin(2 * np.pi * hertz * clock) for hertz in (220, 261.6, 329.6)], axis=0)
    quiet = measure_energy(pad.astype(np.float32), Tempo()).level
    driving = measure_energy(house_loop(bpm=132), _felt({132.0: 1.0})).level
    assert quiet is not None
    assert driving is not None
    assert driving > quiet + 2


def test_a_tempo_in_doubt_does_not_turn_energy_upside_down() -> None:
    loop = house_loop(bpm=90)
    half, doubtful, doubled = (
        measure_energy(loop, _felt(chances)).level or 0
        for chances in ({90.0: 1.0}, {180.0: 0.55, 90.0: 0.45}, {180.0: 1.0})
    )
    assert half < doubtful < doubled


def _felt(chances: dict[float, float]) -> Tempo:
    found = [TempoCandidate(bpm=bpm, score=score) for bpm, score in chances.items()]
    return Tempo(bpm=found[0].bpm, candidates=found)


def test_the_energy_curve_follows_a_breakdown() -> None:
    samples = house_loop(seconds=30)
    samples[SAMPLE_RATE * 10 : SAMPLE_RATE * 20] *= 0.05
    curve = measure_energy(samples, _felt({124.0: 1.0})).curve
    assert len(curve) == 64
    assert max(curve[23:41]) < min(np.mean(curve[:20]), np.mean(curve[44:]))


def test_a_quiet_copy_gets_the_same_answer() -> None:
    loud = house_loop(seconds=15)
    first, second = (analyze([samples]) for samples in (loud, loud * 0.02))
    assert (first.tempo, first.key, first.energy) == (second.tempo, second.key, second.energy)


def test_a_long_recording_heard_in_windows_gets_the_answer_of_the_whole() -> None:
    loop = house_loop(bpm=123.4, seconds=60)
    third = 20 * SAMPLE_RATE
    whole = analyze([loop.copy()])
    pieces = analyze([loop[:third].copy(), loop[third : 2 * third].copy(), loop[2 * third :].copy()])
    assert pieces.duration_seconds == whole.duration_seconds == 60
    assert pieces.tempo.bpm == pytest.approx(123.4, abs=0.05)
    assert pieces.tempo.stable
    assert pieces.key.name == whole.key.name
    assert pieces.waveform is not None
    assert whole.waveform is not None
    assert len(pieces.waveform.detail) == len(whole.waveform.detail)
    off = (np.array(pieces.beats) + 30 / 123.4) % (60 / 123.4) - 30 / 123.4
    assert np.max(np.abs(off)) < 0.03
    assert pieces.beats[-1] > 59
    assert len(pieces.embedding.vector if pieces.embedding else []) == 256


def test_a_silent_window_does_not_spoil_a_recording() -> None:
    silence = np.zeros(20 * SAMPLE_RATE, dtype=np.float32)
    heard = analyze([house_loop(seconds=20), silence, house_loop(seconds=20)])
    assert heard.key.name == "A minor"
    assert heard.duration_seconds == 60
    assert not [beat for beat in heard.beats if 20.5 < beat < 39.5]
