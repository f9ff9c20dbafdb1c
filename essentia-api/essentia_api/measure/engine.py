"""One file to one answer: decoding, then each measurement. This runs in a pool process."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from dj_contracts.analysis import AnalysisAnswer, AnalysisResult, Energy, Loudness, MeasuredKey, Part, Tempo
from essentia_api.decode import SAMPLE_RATE, Decoding, Levels, Samples
from essentia_api.measure import model, tempocnn, tonal
from essentia_api.measure.bands import NO_BANDS, Bands, hear_bands
from essentia_api.measure.effnet import NOTHING, Mounted, look_for_models
from essentia_api.measure.intensity import measure_energy
from essentia_api.measure.join import join_energies, join_heard, join_keys, join_rhythms
from essentia_api.measure.model import Heard, listen
from essentia_api.measure.pitches import hear_pitches
from essentia_api.measure.sections import find_cues, find_sections
from essentia_api.measure.tempo import Rhythm, measure_rhythm
from essentia_api.measure.tonal import measure_key
from essentia_api.measure.waveform import draw

ENGINE_VERSION = "dj-10"
EVERYTHING = frozenset(Part)
_NO_RHYTHM = Rhythm(Tempo(), [], [])
_REPLAY_GAIN_TARGET_LUFS = -18.0
_SHORTEST_SECONDS = 5.0
_SILENT_LEVEL = 3e-5  # -90 dBFS; the noise of sixteen bits alone is quieter
WORKING_RMS = 0.1

_NEED_RHYTHM = frozenset({Part.TEMPO, Part.ENERGY, Part.SECTIONS})
_NEED_BANDS = frozenset({Part.WAVEFORM, Part.SECTIONS})
_NEED_MODEL = frozenset({Part.MOODS, Part.DANCEABILITY, Part.EMBEDDING})
_NETWORK = f"{model.NAME} {model.VERSION}"
MODELS = {
    Part.TEMPO: tempocnn.MODEL,
    Part.KEY: tonal.MODEL,
    Part.ENERGY: ENGINE_VERSION,
    Part.LOUDNESS: "ffmpeg ebur128",
    Part.DANCEABILITY: _NETWORK,
    Part.MOODS: f"{_NETWORK}, by its valence and energy",
    Part.SECTIONS: ENGINE_VERSION,
    Part.WAVEFORM: ENGINE_VERSION,
    Part.EMBEDDING: f"{_NETWORK}, last hidden layer",
}


def models_with(mounted: Mounted) -> dict[Part, str]:
    """What gives each part, beside vibenet the mounted heads that are heard instead of it."""
    models = dict(MODELS)
    if moods := [head.stem for head in mounted.heads if head.stem != "danceability"]:
        models[Part.MOODS] += f"; Essentia's discogs-effnet for {', '.join(moods)}"
    if any(head.stem == "danceability" for head in mounted.heads):
        models[Part.DANCEABILITY] = "Essentia's danceability-discogs-effnet-1"
    return models


def version_with(mounted: Mounted) -> str:
    """Other models, other answers: so a library measured without them can be found and measured again."""
    return f"{ENGINE_VERSION}+discogs-effnet" if mounted.heads else ENGINE_VERSION


@dataclass(frozen=True)
class Window:
    """What one window of a recording gave; a silent one gives its length and its bands."""

    seconds: float
    bands: Bands
    rhythm: Rhythm = _NO_RHYTHM
    key: MeasuredKey = field(default_factory=MeasuredKey)
    energy: Energy = field(default_factory=Energy)
    heard: Heard | None = None
    silent: bool = False


def analyze_file(
    path: str, max_seconds: float, want: frozenset[Part] = EVERYTHING, models_dir: Path | None = None
) -> AnalysisAnswer:
    decoding = Decoding(Path(path), max_seconds=max_seconds, loudness=Part.LOUDNESS in want)
    result = analyze(decoding, want, look_for_models(models_dir))
    return AnalysisAnswer.of(result.model_copy(update={"loudness": _loudness(decoding.levels)}))


def analyze(
    recording: Iterable[Samples], want: frozenset[Part] = EVERYTHING, mounted: Mounted = NOTHING
) -> AnalysisResult:
    """Nearly every track is one window; a longer recording is heard window by window, so that memory does
    not grow with it. Windows are changed in place: a copy would be another 100 MB for ten minutes."""
    windows = [_hear(samples, want, mounted) for samples in recording]
    seconds = sum(window.seconds for window in windows)
    result = AnalysisResult(engine_version=version_with(mounted), duration_seconds=round(seconds, 3))
    if all(window.silent for window in windows):
        return result
    found: dict[str, Any] = {}
    rhythm = join_rhythms([(window.seconds, window.rhythm) for window in windows])
    if Part.TEMPO in want:
        found |= {"tempo": rhythm.tempo, "beats": rhythm.beats, "downbeats": rhythm.downbeats}
    if Part.ENERGY in want:
        found["energy"] = join_energies([(window.seconds, window.energy) for window in windows])
    if Part.KEY in want:
        found["key"] = join_keys([(window.seconds, window.key) for window in windows])
    if want & _NEED_BANDS:
        bands = np.concatenate([window.bands for window in windows])
        bands /= bands.max()
        if Part.WAVEFORM in want:
            found["waveform"] = draw(bands)
        if Part.SECTIONS in want:
            found["sections"] = find_sections(bands, rhythm.downbeats, seconds)
            found["cues"] = find_cues(found["sections"], rhythm.downbeats)
    if want & _NEED_MODEL:
        heard = join_heard([(window.seconds, window.heard) for window in windows if window.heard])
        if Part.MOODS in want:
            found["moods"] = heard.moods
        if Part.DANCEABILITY in want:
            found["danceability"] = heard.danceability
        if Part.EMBEDDING in want:
            found["embedding"] = heard.embedding
    found["models"] = {part.value: name for part, name in models_with(mounted).items() if part in want}
    return result.model_copy(update=found)


def _hear(samples: Samples, want: frozenset[Part], mounted: Mounted) -> Window:
    seconds = len(samples) / SAMPLE_RATE
    # A float64 array anywhere here would double what a process takes.
    samples -= np.float32(np.mean(samples, dtype=np.float64) if len(samples) else 0)
    level = float(np.sqrt(np.dot(samples, samples) / max(len(samples), 1)))
    # Bands are heard at the recording's own level, by which its windows compare with one another.
    window = Window(seconds, hear_bands(samples) if want & _NEED_BANDS else NO_BANDS)
    if level <= _SILENT_LEVEL or seconds < _SHORTEST_SECONDS:
        return replace(window, silent=True)
    # Every measurement below hears the same loudness, so a quiet copy gets the answer of a loud one.
    samples *= np.float32(WORKING_RMS / level)
    needs_pitches = Part.KEY in want or want & _NEED_RHYTHM
    pitches = hear_pitches(samples) if needs_pitches else None
    rhythm = measure_rhythm(samples, pitches) if want & _NEED_RHYTHM else window.rhythm
    return replace(
        window,
        rhythm=rhythm,
        key=measure_key(samples, pitches) if Part.KEY in want else window.key,
        energy=measure_energy(samples, rhythm.tempo) if Part.ENERGY in want else window.energy,
        heard=_listen(samples, mounted) if want & _NEED_MODEL else None,
    )


def _listen(samples: Samples, mounted: Mounted) -> Heard:
    return replace(listen(samples), mounted=mounted.listen(samples))


def _loudness(levels: Levels) -> Loudness:
    integrated = levels.integrated_lufs
    return Loudness(
        integrated_lufs=integrated,
        range_lu=levels.range_lu,
        true_peak_dbtp=levels.true_peak_dbtp,
        replay_gain_db=None if integrated is None else round(_REPLAY_GAIN_TARGET_LUFS - integrated, 2),
    )
