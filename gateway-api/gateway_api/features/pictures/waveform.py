"""A waveform cut to the part and the number of points that somebody wants to draw."""

import base64
from dataclasses import dataclass
from itertools import pairwise

from pydantic import BaseModel, Field

BANDS = 3


class WaveformPart(BaseModel):
    """Heights from 0 to 255 in three bands, at even steps from ``start`` to ``end``, in seconds."""

    start: float
    end: float
    points: int
    bass: list[int] = Field(examples=[[12, 200, 31]])
    middle: list[int] = Field(examples=[[10, 90, 44]])
    treble: list[int] = Field(examples=[[3, 20, 60]])


@dataclass(frozen=True)
class StoredWaveform:
    """What analysis left: bytes, three a moment, coarse over the whole track and fine by time."""

    duration_seconds: float
    overview: bytes
    detail: bytes
    detail_per_second: float
    version: str

    @classmethod
    def decode(
        cls, duration_seconds: float, overview: str, detail: str, detail_per_second: float, version: str
    ) -> "StoredWaveform":
        return cls(
            duration_seconds, base64.b64decode(overview), base64.b64decode(detail), detail_per_second, version
        )

    def part(self, start: float, end: float | None, points: int) -> WaveformPart:
        """The loudest of each step, so that no kick falls between two points."""
        end = min(self.duration_seconds, self.duration_seconds if end is None else end)
        start = min(start, end)
        is_whole = start == 0 and end == self.duration_seconds
        if is_whole and points <= len(self.overview) // BANDS:
            source, rate = self.overview, len(self.overview) / BANDS / max(self.duration_seconds, 1e-9)
        else:
            source, rate = self.detail, self.detail_per_second
        moments = len(source) // BANDS
        first, last = min(start * rate, moments), min(end * rate, moments)
        edges = [round(first + (last - first) * n / points) for n in range(points + 1)]
        bands = [
            [_loudest(source, band, low, high) for low, high in pairwise(edges)] for band in range(BANDS)
        ]
        return WaveformPart(
            start=start, end=end, points=points, bass=bands[0], middle=bands[1], treble=bands[2]
        )


def _loudest(source: bytes, band: int, low: int, high: int) -> int:
    """Of a step that is finer than the data, the moment that it falls into."""
    if not source:
        return 0
    low = min(low, len(source) // BANDS - 1)
    return max(source[low * BANDS + band : max(high, low + 1) * BANDS : BANDS])
