"""The true peak against signals whose highest point between the samples is known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from essentia_api.peaks import TruePeak


def peak_of(mono: NDArray[np.float64], block: int = 10_000) -> float | None:
    stereo = np.stack([mono, mono * 0.5], axis=1).astype(np.float32)
    peak = TruePeak()
    for first in range(0, len(stereo), block):
        peak.feed(stereo[first : first + block])
    return peak.decibels


@pytest.mark.parametrize("hertz", [50.0, 997.0, 5011.0, 11_025.0, 15_013.0])
@pytest.mark.parametrize("phase", [0.0, np.pi / 4])
def test_a_sine_has_the_peak_of_its_amplitude_wherever_its_samples_lie(hertz: float, phase: float) -> None:
    fade = np.minimum(1, np.arange(50_000) / 5000)
    sine = 0.5 * fade * np.sin(2 * np.pi * hertz * np.arange(50_000) / 44_100 + phase)
    assert peak_of(sine) == pytest.approx(-6.0, abs=0.1)


def test_the_blocks_that_it_is_fed_in_make_no_difference() -> None:
    sound = np.random.default_rng(1).standard_normal(60_000) * 0.2
    assert peak_of(sound, 60_000) == pytest.approx(peak_of(sound, 7000), abs=0.2)


def test_a_clipped_sound_rises_over_full_scale() -> None:
    wave = np.clip(3 * np.sin(2 * np.pi * 3001 * np.arange(50_000) / 44_100), -1, 1)
    peak = peak_of(wave)
    assert peak is not None
    assert 0.5 < peak < 4


@pytest.mark.parametrize("length", [0, 1, 5, 30, 1000])
def test_silence_has_no_peak(length: int) -> None:
    assert peak_of(np.zeros(length)) is None


def test_a_constant_is_its_own_peak() -> None:
    assert peak_of(np.full(300_000, 0.5)) == -6.0


def test_one_sample_is_its_own_peak() -> None:
    assert peak_of(np.array([0.5])) == -6.0
