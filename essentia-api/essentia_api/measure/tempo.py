"""Tempo, beats and downbeats: the level from the pulse, decimals from the grid, the phase from the bars."""

from dataclasses import dataclass

import numpy as np

from dj_contracts.analysis import Tempo
from essentia_api.decode import SAMPLE_RATE, Samples
from essentia_api.measure.bars import find_bars
from essentia_api.measure.grid import lay_grid
from essentia_api.measure.onsets import hear_onsets
from essentia_api.measure.pitches import Pitches, hear_pitches
from essentia_api.measure.pulse import Pulse, find_pulse
from essentia_api.measure.tempocnn import likely_tempi

_SHORTEST_SECONDS = 5.0
_SURE_PULSE = 0.6
_BLOCK, _SILENT = SAMPLE_RATE // 20, 1e-3  # 40 dB below the loudness at which everything is measured
_WHOLE, _WHOLE_DRIFT_SECONDS = 0.02, 0.005  # how far apart, and by how much after the whole record


@dataclass(frozen=True)
class Rhythm:
    tempo: Tempo
    beats: list[float]
    downbeats: list[float]


def measure_rhythm(samples: Samples, pitches: Pitches | None = None) -> Rhythm:
    """``pitches`` saves hearing them again where the key has been measured already."""
    if len(samples) < _SHORTEST_SECONDS * SAMPLE_RATE:
        return Rhythm(Tempo(), [], [])
    onsets = hear_onsets(samples)
    pulse = find_pulse(onsets, likely_tempi(samples))
    if not pulse.heard:
        return Rhythm(Tempo(), [], [])
    grid = lay_grid(onsets, pulse.bpm)
    if not grid.readings:
        return Rhythm(Tempo(), [], [])
    bars = find_bars(onsets, pitches or hear_pitches(samples), grid.readings, grid.period)
    tempo = Tempo(
        bpm=_stated(60 / grid.period, onsets.seconds),
        confidence=_confidence(pulse),
        stable=grid.steady,
        candidates=pulse.candidates,
    )
    start, end = _sounding(samples)
    beats, downbeats = (
        [round(float(beat), 4) for beat in found if start <= beat <= end]
        for found in (bars.beats, bars.downbeats)
    )
    return Rhythm(tempo, beats, downbeats)


def _sounding(samples: Samples) -> tuple[float, float]:
    """From when to when there is more than silence; a beat may lie a little before its sound."""
    blocks = samples[: len(samples) // _BLOCK * _BLOCK].reshape(-1, _BLOCK)
    loud = np.flatnonzero(np.maximum(blocks.max(axis=1), -blocks.min(axis=1)) > _SILENT)
    if len(loud) == 0:
        return 0.0, 0.0
    return float(loud[0] - 1) * _BLOCK / SAMPLE_RATE, float(loud[-1] + 1) * _BLOCK / SAMPLE_RATE


def _stated(bpm: float, seconds: float) -> float:
    """Two decimals, or none where the beats cannot tell it from a whole tempo: most music is made at one."""
    away = abs(round(bpm) - bpm)
    unheard = away <= _WHOLE and away / bpm * seconds <= _WHOLE_DRIFT_SECONDS
    return float(round(bpm)) if unheard else round(bpm, 2)


def _confidence(pulse: Pulse) -> float:
    """A clear pulse at a level that no other candidate rivals: half of it hangs on each."""
    clear = float(np.clip(pulse.strength / _SURE_PULSE, 0, 1))
    return round(clear * (1 + pulse.candidates[0].score) / 2, 3)
