"""The key: which of 24 explains the pitch classes and the bass best, at the record's own tuning, or none.

The profiles began as Temperley's and were moved by bench/analysis/fit.py on made-up music in every key; the
scores are that regression's chances, so that .8 is right about eight times in ten on such music.
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

MODEL = "dj profiles 2 with essentia edma"
SECOND_OPINION = 0.45
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
DEGREES = {
    Mode.MAJOR: (
        (0.61, -1.41, 0.78, -1.05, 0.95, 0.22, -1.42, 0.80, -0.87, 0.96, -1.66, 0.46),
        (0.35, 0.14, -0.13, -0.07, -0.15, 0.07, -0.10, 0.37, -0.26, 0.22, -0.50, 0.06),
    ),
    Mode.MINOR: (
        (1.11, -2.55, 1.30, 0.92, -1.79, 0.60, -0.91, 0.66, 0.23, -1.54, -0.41, -0.12),
        (0.63, -0.05, -0.28, -0.02, -0.14, 0.11, -0.03, 0.11, -0.09, -0.31, 0.36, -0.30),
    ),
}


@dataclass(frozen=True)
class Heard:
    upper: Profile
    bass: Profile
    cents: float
    notes: float


def measure_key(samples: Samples, pitches: Pitches | None = None) -> MeasuredKey:
    """``pitches`` saves hearing them again where the rhythm has been measured already."""
    heard = hear(pitches or hear_pitches(samples))
    if heard.notes < _LEAST_NOTES or not heard.upper.any():
        return MeasuredKey()
    chances = _chances(heard, second_opinion(samples, heard.cents))
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


def hear(pitches: Pitches) -> Heard:
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
    return Heard(_classes(heard, _UPPER), _classes(heard, _BASS), off * 100 / STEPS, share)


def _classes(heard: Profile, register: slice) -> Profile:
    """Twelve sums, C first."""
    pitches = (np.arange(PITCHES) + LOWEST)[register] % 12
    return np.bincount(pitches, heard[register], 12).astype(np.float64)


def second_opinion(samples: Samples, cents: float) -> tuple[Key, float]:
    """Essentia's own key at the tuning that was heard, and how sure it is: they go wrong on other records."""
    middle = slice(max(0, (len(samples) - _EXCERPT) // 2), (len(samples) + _EXCERPT) // 2)
    extractor = es.KeyExtractor(profileType="edma", tuningFrequency=440 * 2 ** (cents / 1200))
    tonic, mode, strength = extractor(samples[middle])
    return Key.parse(f"{tonic} {mode}"), min(max(float(strength), 0.0), 1.0)


def _chances(heard: Heard, second: tuple[Key, float]) -> list[float]:
    scores = evidence(heard, second) @ weights()
    raised = np.exp(scores - scores.max())
    return [float(chance) for chance in raised / raised.sum()]


def evidence(heard: Heard, second: tuple[Key, float]) -> Profile:
    """Keys by what ``weights`` weighs: the degrees from each key's own tonic up, in the half of its mode."""
    parts = [_standard(part) for part in (heard.upper, heard.bass)]
    other, strength = second
    rows = np.zeros((len(ALL_KEYS), len(weights())))
    for row, key in zip(rows, ALL_KEYS, strict=True):
        first = 24 * list(DEGREES).index(key.mode)
        row[first : first + 24] = np.concatenate([np.roll(part, -key.tonic) for part in parts])
        row[-1] = strength * (key == other)
    return rows


def weights() -> Profile:
    """The upper parts' and the bass's degrees in major, those in minor, and the second opinion."""
    return np.concatenate([*(part for parts in DEGREES.values() for part in parts), [SECOND_OPINION]])


def _standard(classes: Profile) -> Profile:
    roots = np.sqrt(classes)
    return np.asarray((roots - roots.mean()) / (roots.std() + 1e-9))
