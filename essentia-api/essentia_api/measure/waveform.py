"""The picture of a track: three bands as bytes, few for an overview and many for a close look."""

import base64

import numpy as np

from dj_contracts.analysis import Waveform
from essentia_api.measure.bands import RATE, Bands

_POINTS = 1000


def draw(bands: Bands) -> Waveform | None:
    if len(bands) == 0:
        return None
    # The square root lets quiet passages show; the loudest moment is full height.
    heights = np.sqrt(bands / max(float(bands.max()), 1e-9))
    edges = np.linspace(0, len(bands), _POINTS + 1).astype(int)[:-1]
    overview = np.maximum.reduceat(heights, np.minimum(edges, len(bands) - 1), axis=0)
    return Waveform(points=_POINTS, overview=_bytes(overview), detail_per_second=RATE, detail=_bytes(heights))


def _bytes(heights: Bands) -> str:
    return base64.b64encode(np.round(heights * 255).astype(np.uint8).tobytes()).decode()
