"""Ours and what it is measured against, each from the same samples on one thread."""

from dataclasses import dataclass

import numpy as np
from essentia import standard as es

from bench.analysis.scores import Times
from bench.analysis.sounds import RATE, Sound
from dj_contracts.keys import ALL_KEYS, Key, Mode, find_key
from essentia_api.measure.pitches import hear_pitches
from essentia_api.measure.tempo import measure_rhythm
from essentia_api.measure.tonal import measure_key

_KRUMHANSL = {
    Mode.MAJOR: (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    Mode.MINOR: (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
_LIBROSA_RATE = 22_050


@dataclass(frozen=True)
class Answer:
    bpm: float | None
    beats: Times
    downbeats: Times
    key: Key | None


def ours(samples: Sound) -> Answer:
    pitches = hear_pitches(samples)
    rhythm, key = measure_rhythm(samples, pitches), measure_key(samples, pitches)
    return Answer(
        rhythm.tempo.bpm,
        np.array(rhythm.beats),
        np.array(rhythm.downbeats),
        find_key(key.name) if key.name else None,
    )


def essentia(samples: Sound) -> Answer:
    bpm, beats, *_ = es.RhythmExtractor2013(method="multifeature")(samples)
    tonic, mode, _ = es.KeyExtractor(profileType="edma")(samples)
    return Answer(float(bpm), np.asarray(beats, dtype=np.float64), np.zeros(0), Key.parse(f"{tonic} {mode}"))


def librosa(samples: Sound) -> Answer:
    import librosa as lib

    halved = lib.resample(samples, orig_sr=RATE, target_sr=_LIBROSA_RATE, res_type="soxr_mq")
    bpm, frames = lib.beat.beat_track(y=halved, sr=_LIBROSA_RATE)
    beats = lib.frames_to_time(frames, sr=_LIBROSA_RATE)
    chroma = lib.feature.chroma_stft(y=halved, sr=_LIBROSA_RATE).mean(axis=1)
    key = max(ALL_KEYS, key=lambda k: float(np.corrcoef(chroma, np.roll(_KRUMHANSL[k.mode], k.tonic))[0, 1]))
    return Answer(float(np.atleast_1d(bpm)[0]), np.asarray(beats, dtype=np.float64), np.zeros(0), key)


SYSTEMS = {"ours": ours, "essentia": essentia, "librosa": librosa}
