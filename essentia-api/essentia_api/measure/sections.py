"""The parts of a track and the points where a DJ would cue it, told apart by what each bar is made of.

The parts are the cut that leaves the bars of each most alike. A part's name says how it sounds beside the
rest of the track: a drop is full where the part before was not, a breakdown has lost its bass. A track
that never changes is one part.
"""

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dj_contracts.analysis import Cue, Section
from essentia_api.measure.bands import RATE, Bands

_BAR_OF_NO_BEATS = 2.0  # seconds
_SHORTEST_PART = 4
_LEAST_CHANGE = 0.06
_FLOOR_DB = 40.0
_FULL, _THIN = 0.75, 0.5  # of the fullest part
_BASS_LOST_DB = 9.0
_RISING = 0.12
_LAST_BARS, _SHARE_AT_THE_END = 16, 4  # to mix out of: so many bars, and no more than a quarter

Floats = NDArray[np.float64]


def find_sections(bands: Bands, downbeats: Sequence[float], seconds: float) -> list[Section]:
    edges = _bars(downbeats, seconds)
    bars = _levels(bands, edges)
    borders = [0, *_borders(bars), len(bars)]
    parts = [bars[first:last] for first, last in itertools.pairwise(borders)]
    fullness = np.array([float(part.mean()) for part in parts])
    fullness /= max(float(fullness.max()), 1e-9)
    bass = np.array([float(part[:, 0].mean()) for part in parts]) * _FLOOR_DB
    has_bass = bass >= bass.max() - _BASS_LOST_DB
    return [
        Section(
            label=_label(place, parts, fullness, has_bass),
            start=round(float(edges[first]), 4),
            end=round(float(edges[last]), 4),
            energy=round(float(fullness[place]), 3),
        )
        for place, (first, last) in enumerate(itertools.pairwise(borders))
    ]


def find_cues(sections: Sequence[Section], downbeats: Sequence[float]) -> list[Cue]:
    """On downbeats only: a track without beats has no point to mix at."""
    if not downbeats:
        return []
    cues = [Cue(kind="mix_in", time=downbeats[0])]
    cues += [Cue(kind="drop", time=part.start) for part in sections if part.label == "drop"]
    last = sections[-1]
    bars = min(_LAST_BARS, max(1, len(downbeats) // _SHARE_AT_THE_END))
    out = last.start if last.label == "outro" else downbeats[-bars]
    if out > downbeats[0]:
        cues.append(Cue(kind="mix_out", time=out))
    return cues


def _bars(downbeats: Sequence[float], seconds: float) -> Floats:
    """The borders of bars, also of silent ones; a rest before or after all is a bar too, or joins one."""
    if len(downbeats) < 2:
        count = max(1, int(seconds / _BAR_OF_NO_BEATS))
        return np.linspace(0, seconds, count + 1)
    bar = float(np.median(np.diff(downbeats)))
    before = np.arange(downbeats[0] - bar, 0, -bar)[::-1]
    after = np.arange(downbeats[-1] + bar, seconds, bar)
    edges = np.concatenate([before, downbeats, after])
    edges = np.append(edges[edges < seconds - 0.5 * bar], seconds)
    if edges[0] > 0:
        edges = np.insert(edges, 0, 0.0)
    return edges


def _levels(bands: Bands, edges: Floats) -> Floats:
    """Each bar's three bands from 0 (silent beside the loudest bar) to 1."""
    moments = np.minimum((edges * RATE).astype(int), len(bands) - 1)[:-1]
    power = np.add.reduceat(bands.astype(np.float64) ** 2, moments, axis=0)
    power /= np.maximum(np.diff(np.append(moments, len(bands))), 1)[:, None]
    decibels = 10 * np.log10(power + 1e-12)
    return np.asarray(np.clip(1 + (decibels - decibels.max(axis=0)) / _FLOOR_DB, 0, 1))


def _borders(bars: Floats) -> list[int]:
    """The cut into parts that leaves the bars of each part most alike, for a price a part."""
    count = len(bars)
    steps = np.sum(np.diff(bars, axis=0) ** 2, axis=1)
    unrest = float(np.median(steps)) / 2 if len(steps) else 0.0
    price = _LEAST_CHANGE + 3 * unrest * float(np.log(count + 1))
    sums = np.vstack([np.zeros(bars.shape[1]), np.cumsum(bars, axis=0)])
    squares = np.concatenate([[0.0], np.cumsum(np.sum(bars**2, axis=1))])
    best = np.full(count + 1, np.inf)
    best[0] = -price
    came_from = np.zeros(count + 1, dtype=int)
    for last in range(_SHORTEST_PART, count + 1):
        first = np.arange(last - _SHORTEST_PART + 1)
        spread = squares[last] - squares[first]
        spread -= np.sum((sums[last] - sums[first]) ** 2, axis=1) / (last - first)
        total = best[first] + spread + price
        came_from[last] = int(total.argmin())
        best[last] = total[came_from[last]]
    found = []
    place = int(came_from[count])
    while place > 0:
        found.append(place)
        place = int(came_from[place])
    return found[::-1]


def _label(place: int, parts: Sequence[Floats], fullness: Floats, has_bass: NDArray[np.bool_]) -> str:
    last = len(parts) - 1
    full = fullness[place] >= _FULL and has_bass[place]
    if last == 0:
        return "main"
    if place == 0 and fullness[0] < fullness[1]:
        return "intro"
    if place == last and fullness[last] < fullness[last - 1]:
        return "outro"
    if full:
        before = place > 0 and (fullness[place - 1] < _FULL or not has_bass[place - 1])
        return "drop" if before else "main"
    slope = np.polyfit(np.arange(len(parts[place])), parts[place].mean(axis=1), 1)[0] * len(parts[place])
    if slope > _RISING and place < last and fullness[place + 1] > fullness[place]:
        return "build"
    return "breakdown" if not has_bass[place] or fullness[place] < _THIN else "main"
