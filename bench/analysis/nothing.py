"""Sound without a beat, and noise without a key: what is answered must be nothing."""

import numpy as np

from bench.analysis.rivals import ours
from bench.analysis.sounds import RATE, Sound, play

_SECONDS = 30


def made_up_answers() -> dict[str, list[str]]:
    """Every answer that should not have been given."""
    found = {}
    for name, sound in _beatless().items():
        answer = ours(sound)
        invented = [f"{answer.bpm:.1f} BPM"] if answer.bpm else []
        if answer.key and "pad" not in name and "tone" not in name:
            invented.append(answer.key.name)
        if invented:
            found[name] = invented
    print("made up for noise, tones, pads and silence: " + (str(found) if found else "nothing"), flush=True)
    return found


def _beatless() -> dict[str, Sound]:
    sounds = {"silence": np.zeros(_SECONDS * RATE, dtype=np.float32)}
    for slope, name in ((0, "white"), (1, "pink"), (2, "brown")):
        for seed in range(3):
            sounds[f"{name} noise {seed}"] = _noise(slope, seed)
    clock = np.arange(_SECONDS * RATE) / RATE
    for hertz in (55, 440, 1_000):
        sounds[f"tone {hertz} Hz"] = (0.1 * np.sin(2 * np.pi * hertz * clock)).astype(np.float32)
    for sound in ("pad", "gm strings", "gm choir"):
        for seed in range(2):
            sounds[f"pad of {sound} {seed}"] = _chords(sound, seed)
    return sounds


def _noise(slope: int, seed: int) -> Sound:
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(_SECONDS * RATE))
    spectrum /= np.maximum(np.arange(len(spectrum)) / _SECONDS, 20) ** (slope / 2)
    noise = np.fft.irfft(spectrum)
    return np.asarray(0.1 * noise / noise.std(), dtype=np.float32)


def _chords(sound: str, seed: int) -> Sound:
    rng = np.random.default_rng(seed)
    out = np.zeros((_SECONDS + 8) * RATE, dtype=np.float32)
    at = 0.0
    while at < _SECONDS:
        held = round(float(rng.uniform(2.2, 5.5)), 2)
        root = 48 + int(rng.choice([0, 5, 7, 9]))
        for step in (0, 4, 7, 12):
            note = play(sound, root + step, held, 1.0)
            out[int(at * RATE) :][: len(note)] += note[: len(out) - int(at * RATE)]
        at += held
    return np.asarray(out[: _SECONDS * RATE] / (10 * out.std()))
