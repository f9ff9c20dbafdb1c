"""A waveform as a PNG: three bands over one another, mirrored, on nothing."""

import base64
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dj_contracts.analysis import BAND_COLOURS, Waveform

_NOTHING = "#000000"
_PALETTE = bytes.fromhex("".join([_NOTHING, *BAND_COLOURS.values()]).replace("#", ""))
_BANDS = 3


def picture(waveform: Waveform | None, *, width: int, height: int) -> bytes:
    """Bass lies at the back and treble in front; silence is a line."""
    columns = _columns(waveform, width)
    from_middle = np.abs(np.arange(height) - (height - 1) / 2)[:, None]
    pixels = np.zeros((height, width), dtype=np.uint8)
    for band in range(_BANDS):
        reach = np.maximum(columns[:, band] * (height / 2 / 255), 0.6 if band == 0 else 0)
        pixels[from_middle < reach] = band + 1
    return _png(pixels)


def _columns(waveform: Waveform | None, width: int) -> NDArray[np.uint8]:
    """The loudest moment of each column in each band."""
    raw = base64.b64decode(waveform.detail) if waveform is not None else b""
    moments = np.frombuffer(raw, dtype=np.uint8).reshape(-1, _BANDS)
    if len(moments) == 0:
        return np.zeros((width, _BANDS), dtype=np.uint8)
    starts = np.linspace(0, len(moments), width, endpoint=False).astype(int)
    return np.maximum.reduceat(moments, starts, axis=0)


def _png(pixels: NDArray[np.uint8]) -> bytes:
    image = Image.frombytes("P", pixels.shape[::-1], pixels.tobytes())
    image.putpalette(_PALETTE)
    file = BytesIO()
    image.save(file, "PNG", transparency=0)
    return file.getvalue()
