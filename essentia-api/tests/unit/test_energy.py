"""Energy puts sounds in the order in which a DJ would, however loud they are."""

import numpy as np
from numpy.typing import NDArray

from essentia_api.decode import SAMPLE_RATE
from essentia_api.measure.energy import measure_energy

CLOCK = np.arange(12 * SAMPLE_RATE) / SAMPLE_RATE
NOISE = np.random.default_rng(1).standard_normal(len(CLOCK) + 1)


def pad() -> NDArray[np.float64]:
    tones = [np.sin(2 * np.pi * hertz * CLOCK) for hertz in (220, 277, 330)]
    return np.asarray(np.sum(tones, axis=0))


def drums(bpm: float) -> NDArray[np.float64]:
    beat, quarter = CLOCK % (60 / bpm), CLOCK % (15 / bpm)
    kick = np.sin(2 * np.pi * 50 * beat) * np.exp(-beat * 20)
    return np.asarray(kick + 0.4 * np.diff(NOISE) * np.exp(-quarter * 30))


def level(sound: NDArray[np.float64], gain: float = 1.0) -> int:
    measured = measure_energy((gain * sound).astype(np.float32)).level
    assert measured is not None
    return measured


def test_a_pad_is_below_a_groove_and_a_groove_below_a_wall_of_sound() -> None:
    groove = pad() + 0.5 * drums(124)
    wall = drums(140) + 0.6 * ((CLOCK * 110) % 1 - 0.5) + 0.2 * NOISE[:-1]
    assert level(pad()) < level(groove) < level(wall)


def test_loudness_does_not_count() -> None:
    assert level(drums(128)) == level(drums(128), gain=0.02)


def test_the_curve_falls_in_a_breakdown() -> None:
    sound = drums(128)
    sound[len(sound) // 2 :] *= 0.1
    curve = measure_energy(sound.astype(np.float32)).curve
    assert np.mean(curve[:30]) > 3 * np.mean(curve[34:])


def test_what_is_shorter_than_a_frame_has_no_energy() -> None:
    assert measure_energy(np.zeros(100, dtype=np.float32)).level is None
