"""Which level, which phase, which beat is the first, and when there is no beat at all."""

import sys

import numpy as np
import pytest

from essentia_api.decode import SAMPLE_RATE, Samples
from essentia_api.measure.tempo import measure_rhythm
from essentia_api.measure.tonal import measure_key
from essentia_api.testing import house_loop

_CLOCK = np.arange(int(0.25 * SAMPLE_RATE)) / SAMPLE_RATE
_NOISE = np.random.default_rng(3).standard_normal(len(_CLOCK))
_KICK = np.sin(2 * np.pi * (48 * _CLOCK + 4 * (1 - np.exp(-40 * _CLOCK)))) * np.exp(-15 * _CLOCK)
_SNARE = (0.5 * _NOISE + 0.5 * np.sin(2 * np.pi * 190 * _CLOCK)) * np.exp(-20 * _CLOCK)
_HAT = 0.2 * np.diff(_NOISE, append=0.0) * np.exp(-60 * _CLOCK)


def drum_loop(
    bpm: float, *, kick: str, snare: str, hat: str, seconds: float = 40, steps_a_beat: int = 4
) -> Samples:
    """Four beats a bar, with a chord that changes every bar; it starts at 0.3 s."""
    out = np.zeros(int((seconds + 3) * SAMPLE_RATE))
    step = 60 / bpm / steps_a_beat
    steps = 4 * steps_a_beat
    for index in range(int((seconds - 0.3) / step)):
        first = round((0.3 + index * step) * SAMPLE_RATE)
        for sound, pattern in ((_KICK, kick), (_SNARE, snare), (_HAT, hat)):
            if pattern[index % len(pattern)] == "x":
                out[first : first + len(sound)] += sound
        if index % steps == 0:
            clock = np.arange(int(steps * step * SAMPLE_RATE)) / SAMPLE_RATE
            root = 220 * 2 ** ((0, 5, 7, 3)[index // steps % 4] / 12)
            chord = np.sum([np.sin(2 * np.pi * root * ratio * clock) for ratio in (1, 1.19, 1.5)], axis=0)
            out[first : first + len(clock)] += 0.08 * chord[: len(out) - first]
    return (out[: int(seconds * SAMPLE_RATE)] * 0.3).astype(np.float32)


def noise(slope: float, seed: int) -> Samples:
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(15 * SAMPLE_RATE))
    spectrum /= np.maximum(np.arange(len(spectrum)) / 15, 20) ** (slope / 2)
    sound = np.fft.irfft(spectrum)
    return np.asarray(0.1 * sound / sound.std(), dtype=np.float32)


def test_drum_and_bass_is_not_halved() -> None:
    loop = drum_loop(174.3, kick="x.........x.....", snare="....x.......x...", hat="x.x.x.x.x.x.x.x.")
    assert measure_rhythm(loop).tempo.bpm == pytest.approx(174.3, abs=0.05)


WRONG_SINCE_DJ_7 = pytest.mark.xfail(
    strict=True, reason="known to be wrong: decision 12 says what the trees cost"
)


@pytest.mark.parametrize(
    "hat", ["x.x.x.x.x.x.x.x.", pytest.param("xxxxxxxxxxxxxxxx", marks=WRONG_SINCE_DJ_7)]
)
def test_a_slow_ballad_is_not_doubled(hat: str) -> None:
    loop = drum_loop(66, kick="x.......x.......", snare="....x.......x...", hat=hat)
    assert measure_rhythm(loop).tempo.bpm == pytest.approx(66, abs=0.05)


@pytest.mark.parametrize("kick", ["x.....x.....", pytest.param("x....x......", marks=WRONG_SINCE_DJ_7)])
def test_six_eight_is_not_taken_for_three_halves(kick: str) -> None:
    loop = drum_loop(63.4, kick=kick, snare="...x.....x..", hat="xxxxxxxxxxxx", steps_a_beat=3)
    assert measure_rhythm(loop).tempo.bpm == pytest.approx(63.4, abs=0.05)


def test_the_off_beat_of_techno_is_not_taken_for_the_beat() -> None:
    loop = drum_loop(133.37, kick="x...x...x...x...", snare=".", hat="..x...x...x...x.")
    rhythm = measure_rhythm(loop)
    period = 60 / 133.37
    off = (np.array(rhythm.beats) - 0.3 + period / 2) % period - period / 2
    assert np.max(np.abs(off)) < 0.03
    assert rhythm.beats[-1] > 39


@pytest.mark.parametrize("bpm", [86, 101, 113])
def test_a_kick_that_sweeps_down_sets_in_once(bpm: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its low register comes 60 ms after its attack."""
    sweep = np.sin(2 * np.pi * (50 * _CLOCK + 12 * (1 - np.exp(-30 * _CLOCK)))) * np.exp(-14 * _CLOCK)
    monkeypatch.setattr(sys.modules[__name__], "_KICK", sweep)
    loop = drum_loop(bpm, kick="x...x...x...x...", snare="....x.......x...", hat="..x...x...x...x.")
    period = 60 / bpm
    off = (np.array(measure_rhythm(loop).beats) - 0.3 + period / 2) % period - period / 2
    assert abs(float(np.median(off))) < 0.02


@pytest.mark.parametrize("seconds", [6, 11.99, 12.01, 18.5])
def test_a_short_loop_has_its_tempo_too(seconds: float) -> None:
    assert measure_rhythm(house_loop(bpm=121, seconds=seconds)).tempo.bpm == pytest.approx(121, abs=0.3)


def test_there_are_no_beats_where_there_is_silence() -> None:
    silence = np.zeros(round(7.3 * SAMPLE_RATE), np.float32)
    rhythm = measure_rhythm(np.concatenate([silence, house_loop(bpm=121), silence]))
    assert rhythm.beats[0] == pytest.approx(7.3, abs=0.03)
    assert rhythm.downbeats[0] == pytest.approx(7.3, abs=0.03)
    assert rhythm.beats[-1] == pytest.approx(37.3, abs=0.6)


def test_bars_start_where_the_harmony_changes() -> None:
    loop = drum_loop(121.5, kick="x...x...x...x...", snare="....x.......x...", hat="..x...x...x...x.")
    rhythm = measure_rhythm(loop)
    bar = 240 / 121.5
    off = (np.array(rhythm.downbeats) - 0.3 + bar / 2) % bar - bar / 2
    assert np.max(np.abs(off)) < 0.03
    assert set(rhythm.downbeats) <= set(rhythm.beats)


def test_a_track_that_speeds_up_is_not_called_steady() -> None:
    loop = drum_loop(120, kick="x...x...x...x...", snare="....x.......x...", hat="..x...x...x...x.")
    clock = np.arange(len(loop)) / SAMPLE_RATE
    warped = np.interp(clock + 0.0006 * clock**2, clock, loop).astype(np.float32)
    rhythm = measure_rhythm(warped)
    assert rhythm.tempo.stable is False
    gaps = np.diff(rhythm.beats)
    assert np.median(gaps[-12:]) < np.median(gaps[:12]) - 0.01


@pytest.mark.parametrize("slope", [0, 1, 2])
def test_noise_of_any_colour_has_neither_tempo_nor_key(slope: int) -> None:
    sound = noise(slope, seed=slope)
    tempo = measure_rhythm(sound).tempo
    assert (tempo.bpm, tempo.confidence) == (None, 0.0)
    assert measure_key(sound).name is None


@pytest.mark.parametrize("hertz", [[440.0], [220.0, 261.6, 329.6]])
def test_a_held_tone_or_chord_has_no_tempo(hertz: list[float]) -> None:
    clock = np.arange(15 * SAMPLE_RATE) / SAMPLE_RATE
    sound = np.sum([np.sin(2 * np.pi * each * clock) for each in hertz], axis=0) * 0.1
    assert measure_rhythm(sound.astype(np.float32)).tempo.bpm is None


def test_one_tone_alone_is_hardly_a_key() -> None:
    clock = np.arange(15 * SAMPLE_RATE) / SAMPLE_RATE
    assert measure_key((0.1 * np.sin(2 * np.pi * 440 * clock)).astype(np.float32)).confidence < 0.2
