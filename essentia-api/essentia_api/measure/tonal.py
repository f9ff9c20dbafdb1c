"""The key: Essentia's HPCP and profiles, tuned to the record first, with a place for "no key"."""

import numpy as np
from essentia import standard as es

from dj_contracts.analysis import MeasuredKey
from dj_contracts.keys import Key
from essentia_api.decode import Samples

_WEAKEST_KEY = 0.5
_REFERENCE_HERTZ = 440.0


def measure_key(samples: Samples) -> MeasuredKey:
    tonic, mode, strength = es.KeyExtractor(profileType="edma")(samples)
    confidence = round(float(np.clip(strength, 0, 1)), 3)
    if confidence < _WEAKEST_KEY:
        return MeasuredKey(confidence=0.0)
    key = Key.parse(f"{tonic} {mode}")
    return MeasuredKey(
        name=key.name,
        tonic=key.tonic,
        mode=key.mode,
        camelot=key.camelot,
        open_key=key.open_key,
        confidence=confidence,
    )
