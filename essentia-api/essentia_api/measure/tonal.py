"""The key: Essentia's profiles, tuned to the record first, with a place for "no key"."""

import numpy as np
from essentia import standard as es
from numpy.typing import NDArray

from dj_contracts.analysis import KeyCandidate, MeasuredKey
from dj_contracts.keys import ALL_KEYS, Key, Mode
from essentia_api.decode import Samples

_WEAKEST_KEY = 0.5
_REFERENCE_HERTZ = 440.0
_LEAST_CONTRAST = 0.25  # spread of the twelve pitch classes over their mean: white noise has .13, chords .9
_FRAME = 4096
_FRAMES_LOOKED_AT = 400
_CANDIDATES = 3
_HPCP_STARTS_AT_A = 9

# How long each degree is heard in each mode, as Krumhansl measured it. Only the runners-up come from these.
_DEGREES = {
    Mode.MAJOR: (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    Mode.MINOR: (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}


def measure_key(samples: Samples) -> MeasuredKey:
    tuning = float(np.median(es.TuningFrequencyExtractor()(samples)))
    classes = _pitch_classes(samples, tuning)
    if float(np.std(classes)) < _LEAST_CONTRAST * float(np.mean(classes)):
        return MeasuredKey()
    tonic, mode, strength = es.KeyExtractor(profileType="edma", tuningFrequency=tuning)(samples)
    confidence = round(float(np.clip(strength, 0, 1)), 3)
    if confidence < _WEAKEST_KEY:
        return MeasuredKey()
    key = Key.parse(f"{tonic} {mode}")
    return MeasuredKey(
        name=key.name,
        tonic=key.tonic,
        mode=key.mode,
        camelot=key.camelot,
        open_key=key.open_key,
        confidence=confidence,
        tuning_cents=round(1200 * float(np.log2(tuning / _REFERENCE_HERTZ)), 1),
        candidates=_runners_up(classes, key),
    )


def _pitch_classes(samples: Samples, tuning: float) -> NDArray[np.float64]:
    """How much of each pitch class is heard, C first, from frames spread evenly over the track."""
    window, spectrum = es.Windowing(type="hann"), es.Spectrum()
    peaks = es.SpectralPeaks(magnitudeThreshold=1e-4, maxPeaks=60, minFrequency=25, maxFrequency=3500)
    profile = es.HPCP(referenceFrequency=tuning)
    count = min(_FRAMES_LOOKED_AT, len(samples) // _FRAME)
    starts = np.linspace(0, len(samples) - _FRAME, count).astype(int)
    frames = [profile(*peaks(spectrum(window(samples[start : start + _FRAME])))) for start in starts]
    return np.roll(np.mean(frames, axis=0, dtype=np.float64), _HPCP_STARTS_AT_A)


def _runners_up(classes: NDArray[np.float64], chosen: Key) -> list[KeyCandidate]:
    """The keys whose degrees fit the sound best after the chosen one."""
    fits = {
        key: float(np.corrcoef(classes, np.roll(_DEGREES[key.mode], key.tonic))[0, 1]) for key in ALL_KEYS
    }
    others = sorted((key for key in ALL_KEYS if key != chosen), key=lambda key: -fits[key])
    return [
        KeyCandidate(name=key.name, camelot=key.camelot, score=round(max(0.0, fits[key]), 3))
        for key in others[:_CANDIDATES]
    ]
