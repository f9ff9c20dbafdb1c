"""The key: which of 24 explains the pitch classes and the bass best, at the record's own tuning, or none.

Ours are Temperley's profiles, moved by music that the benchmark made. Made-up harmony is tamer than that of
records, so four of Essentia's profiles, each on Essentia's own pitch classes, have as much to say.
"""

from dataclasses import dataclass

import numpy as np
from essentia import standard as es
from numpy.typing import NDArray

from dj_contracts.analysis import KeyCandidate, MeasuredKey
from dj_contracts.keys import ALL_KEYS, Key, Mode
from essentia_api.decode import SAMPLE_RATE, Samples
from essentia_api.measure.pitches import LOWEST, PITCHES, STEPS, Pitches, hear_pitches

Profile = NDArray[np.float64]

_OTHERS = ("edma", "shaath", "noland", "tonictriad")
MODEL = f"dj profiles 3 with essentia {' '.join(_OTHERS)}"
_OTHERS_WEIGHT = 1.5
_FRAME = 4096
_LOWEST_PEAK, _HIGHEST_PEAK = 25.0, 3500.0  # as Essentia's own key extractor has them
_EXCERPT = 180 * SAMPLE_RATE
_LEAST_NOTES = (
    0.02  # the share of all sound that stands out as notes: noise has .009 at most, music .04 and more
)
_FEWEST_CLASSES = 3
_LOUD_CLASS = 0.1  # of the loudest
_CANDIDATES = 3
_WHITENED_STEPS = 37  # an octave: what stands out of this is a note
_BASS, _UPPER = slice(0, 20), slice(12, 57)  # A1 to E3, A2 to F6

# From the tonic up: how much the upper parts and the bass speak for a key by each degree.
_DEGREES = {
    Mode.MAJOR: (
        (0.84, -0.73, 0.25, -0.72, 1.00, -0.20, -0.79, 0.92, -0.34, 0.26, -0.70, 0.22),
        (0.34, 0.04, -0.02, 0.01, -0.20, -0.02, -0.08, 0.33, -0.16, 0.10, -0.34, -0.00),
    ),
    Mode.MINOR: (
        (0.75, -0.98, 0.53, 1.08, -0.80, -0.07, -0.58, 1.13, 0.13, -0.82, -0.22, -0.13),
        (0.53, -0.20, -0.28, 0.04, -0.12, -0.17, -0.19, 0.32, 0.09, -0.14, 0.10, 0.00),
    ),
}


@dataclass(frozen=True)
class _Heard:
    upper: Profile
    bass: Profile
    cents: float
    notes: float


def measure_key(samples: Samples, pitches: Pitches | None = None) -> MeasuredKey:
    """``pitches`` saves hearing them again where the rhythm has been measured already."""
    heard = _hear(pitches or hear_pitches(samples))
    if heard.notes < _LEAST_NOTES or not heard.upper.any():
        return MeasuredKey()
    chances = _chances(heard, _other_opinions(samples, heard.cents))
    ranked = sorted(zip(chances, ALL_KEYS, strict=True), key=lambda pair: -pair[0])
    chance, key = ranked[0]
    classes = int(np.sum(heard.upper > _LOUD_CLASS * heard.upper.max()))
    return MeasuredKey(
        name=key.name,
        tonic=key.tonic,
        mode=key.mode,
        camelot=key.camelot,
        open_key=key.open_key,
        confidence=round(chance * min(1.0, classes / _FEWEST_CLASSES) ** 2, 3),
        tuning_cents=round(heard.cents, 1),
        candidates=[
            KeyCandidate(name=other.name, camelot=other.camelot, score=round(score, 3))
            for score, other in ranked[1 : 1 + _CANDIDATES]
        ],
    )


def _hear(pitches: Pitches) -> _Heard:
    levels = np.sqrt(pitches.levels).mean(axis=0, dtype=np.float64)
    around = np.convolve(np.pad(levels, _WHITENED_STEPS // 2, mode="edge"), np.ones(_WHITENED_STEPS), "valid")
    notes = np.maximum(levels - around / _WHITENED_STEPS, 0)
    # The three steps of a semitone, as a clock: where its hand points is how far the record is out of tune.
    hand = sum(notes[step::STEPS].sum() * np.exp(2j * np.pi * step / STEPS) for step in range(STEPS))
    off = float(np.angle(hand)) / (2 * np.pi) * STEPS
    centres, steps = np.arange(PITCHES) * STEPS + off, np.arange(len(notes))
    heard = sum(
        weight * np.interp(centres + side, steps, notes) for side, weight in ((0, 1.0), (-1, 0.5), (1, 0.5))
    )
    share = float(notes.sum() / max(levels.sum(), 1e-9))
    return _Heard(_classes(heard, _UPPER), _classes(heard, _BASS), off * 100 / STEPS, share)


def _classes(heard: Profile, register: slice) -> Profile:
    """Twelve sums, C first."""
    pitches = (np.arange(PITCHES) + LOWEST)[register] % 12
    return np.bincount(pitches, heard[register], 12).astype(np.float64)


def _other_opinions(samples: Samples, cents: float) -> list[tuple[Key, float]]:
    """Essentia's keys by each of the other profiles, and how sure each is: they err on different records."""
    middle = slice(max(0, (len(samples) - _EXCERPT) // 2), (len(samples) + _EXCERPT) // 2)
    classes = _essentia_classes(samples[middle], 440 * 2 ** (cents / 1200))
    answers = [es.Key(profileType=name, usePolyphony=False, pcpSize=12)(classes) for name in _OTHERS]
    return [
        (Key.parse(f"{tonic} {mode}"), min(max(0.0, float(strength)), 1.0))
        for tonic, mode, strength, _ in answers
    ]


def _essentia_classes(samples: Samples, concert_pitch: float) -> NDArray[np.float32]:
    """What its key extractor hears before it looks for a key: that can be asked for one profile only."""
    limits = {"maxFrequency": _HIGHEST_PEAK, "sampleRate": SAMPLE_RATE}
    window, spectrum = es.Windowing(type="hann", size=_FRAME), es.Spectrum(size=_FRAME)
    peaks = es.SpectralPeaks(
        orderBy="magnitude", magnitudeThreshold=0.0001, minFrequency=_LOWEST_PEAK, maxPeaks=60, **limits
    )
    whitened = es.SpectralWhitening(**limits)
    folded = es.HPCP(
        bandPreset=False, harmonics=4, minFrequency=_LOWEST_PEAK, normalized="none",
        referenceFrequency=concert_pitch, weightType="cosine", **limits,
    )  # fmt: skip
    total = np.zeros(12, dtype=np.float32)
    for first in range(0, max(1, len(samples) - _FRAME + 1), _FRAME):
        levels = spectrum(window(np.resize(samples[first : first + _FRAME], _FRAME)))
        hertz, magnitudes = peaks(levels)
        total += folded(hertz, whitened(levels, hertz, magnitudes))
    return total


def _chances(heard: _Heard, others: list[tuple[Key, float]]) -> list[float]:
    upper, bass = _standard(heard.upper), _standard(heard.bass)
    scores = np.array([_fit(key, upper, bass) for key in ALL_KEYS])
    for key, strength in others:
        scores[ALL_KEYS.index(key)] += _OTHERS_WEIGHT * strength
    raised = np.exp(scores - scores.max())
    return [float(chance) for chance in raised / raised.sum()]


def _fit(key: Key, upper: Profile, bass: Profile) -> float:
    for_upper, for_bass = (np.roll(degrees, key.tonic) for degrees in _DEGREES[key.mode])
    return float(upper @ for_upper + bass @ for_bass)


def _standard(classes: Profile) -> Profile:
    roots = np.sqrt(classes)
    return np.asarray((roots - roots.mean()) / (roots.std() + 1e-9))
