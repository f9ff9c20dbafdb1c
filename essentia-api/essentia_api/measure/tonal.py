"""The key: which of 24 explains best what is heard, at the record's own tuning, or none.

The pitch classes of the whole record tell which notes it uses. What is heard first and last tells which of
them is home, for that is where most music begins and ends: a loop of four chords is in minor or in its
relative major by where it starts.
"""

from dataclasses import dataclass

import numpy as np
from essentia import standard as es
from numpy.typing import NDArray

from dj_contracts.analysis import KeyCandidate, MeasuredKey
from dj_contracts.keys import ALL_KEYS, Mode
from essentia_api.decode import SAMPLE_RATE, Samples
from essentia_api.measure.pitches import LOWEST, PITCHES, STEPS, Pitches, hear_pitches

Table = NDArray[np.float64]

MODEL = "dj profiles 4 on essentia hpcp"
_FRAME = 4096
_MOST_FRAMES = 1000
_LOWEST_PEAK, _HIGHEST_PEAK = 25.0, 3500.0  # as Essentia's own key extractor has them
_A_TO_C = 9  # Essentia's classes begin with A
_LEAST_NOTES = (
    0.02  # the share of all sound that stands out as notes: noise has .009 at most, music .04 and more
)
_FEWEST_CLASSES = 3
_LOUD_CLASS = 0.1  # of the loudest
_CANDIDATES = 3
_WHITENED_STEPS = 37  # an octave: what stands out of this is a note
_BASS, _UPPER = slice(0, 20), slice(12, 57)  # A1 to E3, A2 to F6
_FRAMES_A_MOMENT = 4
_MOMENTS = 5  # make up what is heard first and last: two seconds
_TONES = 1.5
_SOUNDING = 0.15  # of the median moment
_FAINT = 0.4

# From the tonic up, for major and for minor: how much each row of what is heard speaks for a key. Fitted to
# made-up pieces by bench/analysis/fit.py.
WEIGHTS = np.array([
    [
        (1.40, -0.49, -0.14, -0.78, 0.60, 0.36, -0.65, 0.67, -0.48, -0.25, -0.47, 0.22),
        (0.31, -0.30, 0.16, -0.22, 0.29, -0.06, -0.01, 0.10, -0.01, -0.18, -0.02, -0.08),
        (0.07, 0.06, -0.08, -0.02, 0.06, -0.03, -0.10, 0.08, -0.08, 0.00, -0.02, 0.04),
        (0.07, -0.16, 0.10, -0.07, -0.06, 0.06, -0.09, 0.08, -0.03, 0.09, -0.07, 0.10),
        (0.03, 0.03, -0.09, -0.08, 0.03, 0.03, 0.01, 0.12, -0.12, 0.04, -0.04, 0.04),
    ],
    [
        (1.79, -0.62, 0.05, 0.51, -0.72, -0.36, -0.40, 0.61, 0.11, -0.83, -0.01, -0.13),
        (0.30, -0.25, 0.07, 0.15, 0.03, -0.03, -0.06, 0.20, -0.19, -0.10, 0.08, -0.18),
        (0.14, 0.03, -0.03, 0.06, -0.13, 0.02, -0.06, 0.07, -0.09, 0.04, -0.02, -0.02),
        (0.04, -0.10, 0.05, 0.09, -0.19, 0.13, -0.11, -0.01, -0.06, 0.08, 0.10, -0.03),
        (0.08, -0.01, -0.02, -0.02, -0.09, -0.03, 0.06, 0.07, -0.04, 0.00, -0.04, 0.05),
    ],
])  # fmt: skip


@dataclass(frozen=True)
class Evidence:
    """Rows of twelve classes, C first: the whole record, the upper parts and the bass of what is heard first,
    and those of what is heard last."""

    classes: Table
    cents: float
    enough_notes: float  # 1 where there are; where there are hardly any no key is sure


def measure_key(samples: Samples, pitches: Pitches | None = None) -> MeasuredKey:
    """``pitches`` saves hearing them again where the rhythm has been measured already."""
    heard = hear(samples, pitches or hear_pitches(samples))
    if heard is None:
        return MeasuredKey()
    scores = lay_table(heard) @ WEIGHTS.ravel()
    chances = np.exp(scores - scores.max())
    chances *= heard.enough_notes / chances.sum()
    ranked = sorted(zip(chances.tolist(), ALL_KEYS, strict=True), key=lambda pair: -pair[0])
    chance, key = ranked[0]
    return MeasuredKey(
        name=key.name,
        tonic=key.tonic,
        mode=key.mode,
        camelot=key.camelot,
        open_key=key.open_key,
        confidence=round(chance, 3),
        tuning_cents=round(heard.cents, 1) + 0.0,  # never -0.0
        candidates=[
            KeyCandidate(name=other.name, camelot=other.camelot, score=round(score, 3))
            for score, other in ranked[1 : 1 + _CANDIDATES]
        ],
    )


def hear(samples: Samples, pitches: Pitches) -> Evidence | None:
    """Nothing where hardly any notes stand out."""
    levels = np.sqrt(pitches.levels).mean(axis=0, dtype=np.float64)
    notes = _notes(levels)
    # The three steps of a semitone, as a clock: where its hand points is how far the record is out of tune.
    hand = sum(notes[step::STEPS].sum() * np.exp(2j * np.pi * step / STEPS) for step in range(STEPS))
    off = float(np.angle(hand)) / (2 * np.pi) * STEPS
    upper = notes @ _folding(off, _UPPER)
    if not upper.any() or notes.sum() < _LEAST_NOTES * levels.sum():
        return None
    cents = off * 100 / STEPS
    whole = _essentia_classes(samples, 440 * 2 ** (cents / 1200))
    enough = min(1.0, int(np.sum(upper > _LOUD_CLASS * upper.max())) / _FEWEST_CLASSES)
    rows = [_standard(whole)]
    for upper_end, bass_end in _ends(pitches.levels, off):
        rows += [_standard(upper_end), _standard(bass_end, beside=upper_end)]
    return Evidence(np.array(rows), cents, enough**2)


def lay_table(heard: Evidence) -> Table:
    """For each key what is heard, from its tonic up, in the columns of its mode."""
    table = np.zeros((len(ALL_KEYS), *WEIGHTS.shape))
    for row, key in zip(table, ALL_KEYS, strict=True):
        row[list(Mode).index(key.mode)] = np.roll(heard.classes, -key.tonic, axis=1)
    return table.reshape(len(ALL_KEYS), -1)


def _notes(levels: NDArray[np.floating], times: float = 1.0) -> Table:
    """What stands out of so many times the octave around it."""
    reach = _WHITENED_STEPS // 2
    edges = [(0, 0)] * (levels.ndim - 1)
    sums = np.cumsum(np.pad(levels, [*edges, (reach + 1, reach)], mode="edge"), axis=-1, dtype=np.float64)
    around = (sums[..., _WHITENED_STEPS:] - sums[..., :-_WHITENED_STEPS]) / _WHITENED_STEPS
    return np.asarray(np.maximum(levels - times * around, 0))


def _folding(off: float, register: slice) -> Table:
    """Steps by pitch classes, C first; a note is heard in the steps beside it too."""
    pitches = np.arange(PITCHES)[register]
    away = np.abs(np.arange(PITCHES * STEPS)[:, None] - (pitches * STEPS + off))
    near = np.maximum(1 - away, 0) + 0.5 * np.maximum(1 - np.abs(away - 1), 0)
    return np.asarray(near @ ((pitches[:, None] + LOWEST) % 12 == np.arange(12)))


def _ends(levels: NDArray[np.float32], off: float) -> list[tuple[Table, Table]]:
    """The upper parts and the bass of what is heard first, and of what is heard last."""
    moments = np.add.reduceat(levels, np.arange(0, len(levels), _FRAMES_A_MOMENT), axis=0)
    notes = _notes(np.sqrt(moments))
    # Not drums, of which little stands out that far, and not kicks, whose pitch is below the upper parts.
    tones = _notes(np.sqrt(moments), _TONES)
    loud = tones[:, _UPPER.start * STEPS : _UPPER.stop * STEPS].sum(axis=1)
    quiet = _SOUNDING * np.median(loud[loud > 0]) if loud.any() else 0.0
    sounding = np.flatnonzero(loud >= quiet)
    first, last = sounding[0], sounding[-1] + 1
    ends = (notes[first : first + _MOMENTS].sum(axis=0), notes[max(0, last - _MOMENTS) : last].sum(axis=0))
    return [(end @ _folding(off, _UPPER), end @ _folding(off, _BASS)) for end in ends]


def _essentia_classes(samples: Samples, concert_pitch: float) -> Table:
    """As its key extractor hears them, which does not give them away. A thousand frames tell a record."""
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
    hop = max(_FRAME, len(samples) // _MOST_FRAMES)
    for first in range(0, max(1, len(samples) - _FRAME + 1), hop):
        levels = spectrum(window(np.resize(samples[first : first + _FRAME], _FRAME)))
        hertz, magnitudes = peaks(levels)
        total += folded(hertz, whitened(levels, hertz, magnitudes))
    return np.roll(total, _A_TO_C).astype(np.float64)


def _standard(classes: Table, beside: Table | None = None) -> Table:
    """Of the same spread as any other; of hardly any where it is faint beside the rest: no bass plays yet."""
    roots = np.sqrt(classes)
    spread = roots.std() + 1e-9
    least = _FAINT * np.sqrt(beside).std() if beside is not None else 0.0
    return np.asarray((roots - roots.mean()) / max(spread, least**2 / spread))
