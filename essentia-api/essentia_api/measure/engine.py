"""One file to one answer: decoding, then each measurement. This runs in a pool process."""

from pathlib import Path
from typing import Any

import essentia
import numpy as np

from dj_contracts.analysis import AnalysisAnswer, AnalysisResult, Loudness, Part
from essentia_api.decode import Audio, Samples, decode
from essentia_api.measure import model
from essentia_api.measure.bands import hear_bands
from essentia_api.measure.intensity import measure_energy
from essentia_api.measure.model import listen
from essentia_api.measure.sections import find_cues, find_sections
from essentia_api.measure.tempo import measure_rhythm
from essentia_api.measure.tonal import measure_key
from essentia_api.measure.waveform import draw

essentia.log.infoActive = False
essentia.log.warningActive = False

ENGINE_VERSION = "dj-3"
EVERYTHING = frozenset(Part)
_REPLAY_GAIN_TARGET_LUFS = -18.0
_SHORTEST_SECONDS = 5.0
_SILENT_PEAK = 1e-4  # -80 dBFS
_WORKING_RMS = 0.1

_NEED_RHYTHM = frozenset({Part.TEMPO, Part.ENERGY, Part.SECTIONS})
_NEED_BANDS = frozenset({Part.WAVEFORM, Part.SECTIONS})
_NEED_MODEL = frozenset({Part.MOODS, Part.DANCEABILITY, Part.EMBEDDING})
_NETWORK = f"{model.NAME} {model.VERSION}"
MODELS = {
    Part.TEMPO: ENGINE_VERSION,
    Part.KEY: "essentia edma",
    Part.ENERGY: ENGINE_VERSION,
    Part.LOUDNESS: "ffmpeg ebur128",
    Part.DANCEABILITY: _NETWORK,
    Part.MOODS: f"{_NETWORK}, by its valence and energy",
    Part.SECTIONS: ENGINE_VERSION,
    Part.WAVEFORM: ENGINE_VERSION,
    Part.EMBEDDING: f"{_NETWORK}, last hidden layer",
}


def analyze_file(path: str, max_seconds: float, want: frozenset[Part] = EVERYTHING) -> AnalysisAnswer:
    audio = decode(Path(path), max_seconds=max_seconds, loudness=Part.LOUDNESS in want)
    return AnalysisAnswer.of(analyze(audio, want))


def analyze(audio: Audio, want: frozenset[Part] = EVERYTHING) -> AnalysisResult:
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
    found: dict[str, Any] = {}
    if want & _NEED_RHYTHM:
        rhythm = measure_rhythm(samples)
        if Part.TEMPO in want:
            found |= {"tempo": rhythm.tempo, "beats": rhythm.beats, "downbeats": rhythm.downbeats}
        if Part.ENERGY in want:
            found["energy"] = measure_energy(samples, rhythm.tempo.bpm)
    if Part.KEY in want:
        found["key"] = measure_key(samples)
    if want & _NEED_BANDS:
        bands = hear_bands(samples)
        if Part.WAVEFORM in want:
            found["waveform"] = draw(bands)
        if Part.SECTIONS in want:
            found["sections"] = find_sections(bands, rhythm.downbeats, audio.duration_seconds)
            found["cues"] = find_cues(found["sections"], rhythm.downbeats)
    if want & _NEED_MODEL:
        heard = listen(samples)
        if Part.MOODS in want:
            found["moods"] = heard.moods
        if Part.DANCEABILITY in want:
            found["danceability"] = round(heard.answers["danceability"], 3)
        if Part.EMBEDDING in want:
            found["embedding"] = heard.embedding
    found["models"] = {part.value: MODELS[part] for part in Part if part in want}
    return result.model_copy(update=found)


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
