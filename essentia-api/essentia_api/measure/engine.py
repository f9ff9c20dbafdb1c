"""One file to one answer: decoding, then each measurement. This runs in a pool process."""

from pathlib import Path

import essentia
import numpy as np
from essentia import standard as es

from dj_contracts.analysis import AnalysisAnswer, AnalysisResult, Loudness
from essentia_api.decode import Audio, Samples, decode
from essentia_api.measure import tempocnn, tonal
from essentia_api.measure.intensity import measure_energy
from essentia_api.measure.pitches import hear_pitches
from essentia_api.measure.tempo import measure_rhythm
from essentia_api.measure.tonal import measure_key

essentia.log.infoActive = False
essentia.log.warningActive = False

ENGINE_VERSION = "dj-3"
_REPLAY_GAIN_TARGET_LUFS = -18.0
_SHORTEST_SECONDS = 5.0
_SILENT_PEAK = 1e-4  # -80 dBFS
_DANCEABILITY_SCALE = 3.0  # Essentia: "normal values range from 0 to about 3"
_WORKING_RMS = 0.1


def analyze_file(path: str, max_seconds: float) -> AnalysisAnswer:
    return AnalysisAnswer.of(analyze(decode(Path(path), max_seconds=max_seconds)))


def analyze(audio: Audio) -> AnalysisResult:
    result = AnalysisResult(
        engine_version=ENGINE_VERSION,
        duration_seconds=round(audio.duration_seconds, 3),
        loudness=_loudness(audio),
    )
    level = _level(audio.mono)
    if level is None or audio.duration_seconds < _SHORTEST_SECONDS:
        return result
    # Every measurement below hears the same loudness, so a quiet copy gets the answer of a loud one.
    # A float64 anywhere here would double 100 MB for a ten-minute track.
    samples = audio.mono - np.float32(np.mean(audio.mono, dtype=np.float64))
    samples *= np.float32(_WORKING_RMS / level)
    pitches = hear_pitches(samples)
    rhythm = measure_rhythm(samples, pitches)
    return result.model_copy(
        update={
            "tempo": rhythm.tempo,
            "beats": rhythm.beats,
            "downbeats": rhythm.downbeats,
            "key": measure_key(samples, pitches),
            "energy": measure_energy(samples, rhythm.tempo.bpm),
            "danceability": _danceability(samples),
            "models": {
                "tempo": tempocnn.MODEL,
                "key": tonal.MODEL,
                "danceability": "essentia dfa",
                "energy": ENGINE_VERSION,
            },
        }
    )


def _level(samples: Samples) -> float | None:
    """The RMS without a constant offset, or None for silence."""
    if len(samples) == 0:
        return None
    mean = np.mean(samples, dtype=np.float64)
    power = float(np.dot(samples, samples)) / len(samples) - mean**2
    return float(np.sqrt(power)) if power > _SILENT_PEAK**2 else None


def _loudness(audio: Audio) -> Loudness:
    integrated = audio.integrated_lufs
    return Loudness(
        integrated_lufs=integrated,
        range_lu=audio.range_lu,
        true_peak_dbtp=audio.true_peak_dbtp,
        replay_gain_db=None if integrated is None else round(_REPLAY_GAIN_TARGET_LUFS - integrated, 2),
    )


def _danceability(samples: Samples) -> float:
    value, _ = es.Danceability()(samples)
    return round(float(np.clip(value / _DANCEABILITY_SCALE, 0, 1)), 3)
