"""Instruments and drum kits, each another way to make sound: pitch, seconds, velocity -> samples."""

from collections.abc import Callable
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE = 44_100
Sound = NDArray[np.float32]
Instrument = Callable[[int, float, float], Sound]

KICK, SNARE, CLAP, HAT, OPEN_HAT, RIDE, TOM, SHAKER, RIM = 36, 38, 39, 42, 46, 51, 45, 70, 37


def _clock(seconds: float) -> NDArray[np.float64]:
    return np.arange(max(1, int(seconds * RATE))) / RATE


def _hertz(pitch: int) -> float:
    return float(440 * 2 ** ((pitch - 69) / 12))


def _shape(seconds: float, attack: float, decay: float, release: float = 0.03) -> NDArray[np.float64]:
    clock = _clock(seconds + release)
    rise = np.minimum(1, clock / attack)
    fall = np.clip((seconds + release - clock) / release, 0, 1)
    return np.asarray(rise * np.exp(-clock * decay) * fall)


def _partials(pitch: int, envelope: NDArray[np.float64], weights: dict[float, float]) -> NDArray[np.float64]:
    clock = np.arange(len(envelope)) / RATE
    hertz = _hertz(pitch)
    waves = [
        weight * np.sin(2 * np.pi * hertz * ratio * clock + ratio)
        for ratio, weight in weights.items()
        if hertz * ratio < 16_000
    ]
    return np.asarray(np.sum(waves, axis=0) * envelope)


def saw(pitch: int, seconds: float, velocity: float) -> Sound:
    """Subtractive: two detuned saws, the upper partials dying first."""
    weights = {n: 1 / n**1.3 for n in range(1, 19)} | {n * 1.006: 0.7 / n**1.3 for n in range(1, 13)}
    return (0.25 * velocity * _partials(pitch, _shape(seconds, 0.01, 1.0), weights)).astype(np.float32)


def square(pitch: int, seconds: float, velocity: float) -> Sound:
    weights = {float(n): 1 / n for n in range(1, 16, 2)}
    return (0.25 * velocity * _partials(pitch, _shape(seconds, 0.003, 2.5), weights)).astype(np.float32)


def pad(pitch: int, seconds: float, velocity: float) -> Sound:
    """A slow swell without any attack."""
    weights = {n * d: 1 / n**1.6 for n in range(1, 9) for d in (0.997, 1.0, 1.004)}
    shape = _shape(seconds, min(0.6, seconds / 2), 0.1, 0.5)
    return (0.12 * velocity * _partials(pitch, shape, weights)).astype(np.float32)


def fm(pitch: int, seconds: float, velocity: float) -> Sound:
    """Two operators, as an electric piano."""
    shape = _shape(seconds, 0.004, 2.2)
    clock, hertz = np.arange(len(shape)) / RATE, _hertz(pitch)
    bend = 2.2 * np.exp(-5 * clock) * np.sin(2 * np.pi * hertz * 2 * clock)
    return (0.35 * velocity * shape * np.sin(2 * np.pi * hertz * clock + bend)).astype(np.float32)


def organ(pitch: int, seconds: float, velocity: float) -> Sound:
    weights = {0.5: 0.5, 1.0: 1.0, 1.5: 0.35, 2.0: 0.6, 3.0: 0.3, 4.0: 0.25}
    return (0.16 * velocity * _partials(pitch, _shape(seconds, 0.008, 0.2), weights)).astype(np.float32)


def pluck(pitch: int, seconds: float, velocity: float) -> Sound:
    """Karplus and Strong's string, a period at a time."""
    period = max(2, round(RATE / _hertz(pitch)))
    string = np.random.default_rng(pitch).uniform(-1, 1, period)
    turns = []
    for _ in range(int((seconds + 0.3) * RATE / period) + 1):
        turns.append(string)
        string = 0.498 * (string + np.roll(string, 1))
    raw = np.concatenate(turns)
    true_rate = np.arange(0, len(raw) - 1, _hertz(pitch) * period / RATE)
    return np.asarray((0.4 * velocity * np.interp(true_rate, np.arange(len(raw)), raw)).astype(np.float32))


def sub(pitch: int, seconds: float, velocity: float) -> Sound:
    weights = {1.0: 1.0, 2.0: 0.35, 3.0: 0.12}
    return (0.5 * velocity * _partials(pitch, _shape(seconds, 0.006, 1.0), weights)).astype(np.float32)


def reese(pitch: int, seconds: float, velocity: float) -> Sound:
    weights = {n * d: 1 / n for n in range(1, 14) for d in (0.992, 1.009)}
    return (0.2 * velocity * _partials(pitch, _shape(seconds, 0.01, 0.3), weights)).astype(np.float32)


def _noise(seconds: float, seed: int, colour: str) -> NDArray[np.float64]:
    white = np.random.default_rng(seed).standard_normal(int(seconds * RATE) + 2)
    if colour == "bright":
        return np.asarray(np.diff(np.diff(white)))
    smooth = np.convolve(white, np.ones(6) / 6, "same")[:-2]
    return smooth if colour == "dull" else white[:-2]


def _drum(
    pitch: int, velocity: float, *, thump: tuple[float, float, float], snap: float, length: float, metal: bool
) -> Sound:
    """``thump`` is the kick's last pitch, its sweep and how fast it dies; ``length`` stretches the rest."""
    hold, sweep, dying = thump
    if pitch in (KICK, TOM):
        base = hold * (2.2 if pitch == TOM else 1)
        clock = _clock(0.5 if dying < 10 else 0.3)
        phase = base * clock + sweep / 35 * (1 - np.exp(-35 * clock))
        sound = np.sin(2 * np.pi * phase) * np.exp(-clock * dying)
        sound[:200] += 0.5 * snap * _noise(200 / RATE, 1, "white")[:200] * np.linspace(1, 0, 200)
    elif pitch in (SNARE, CLAP, RIM):
        clock = _clock(0.25 * length)
        body = np.sin(2 * np.pi * (190 if pitch == SNARE else 420) * clock) * np.exp(-clock * 28)
        rattle = _noise(0.25 * length, pitch, "white") * np.exp(
            -clock * (18 if pitch != RIM else 70) / length
        )
        sound = 0.45 * body * (pitch != CLAP) + 0.32 * rattle * (0.4 if pitch == RIM else 1)
    else:
        seconds = {OPEN_HAT: 0.3, RIDE: 0.5}.get(pitch, 0.09) * length
        clock = _clock(seconds)
        sound = 0.14 * _noise(seconds, pitch, "bright")
        if metal:
            tones = (3_020, 4_170, 5_430, 6_790, 8_210, 9_340)
            sound = 0.05 * np.sum([np.sign(np.sin(2 * np.pi * tone * clock)) for tone in tones], axis=0)
        sound = sound * np.exp(-clock * 4 / seconds) * (0.6 if pitch == SHAKER else 1)
    return (velocity * sound).astype(np.float32)


def _kit(
    thump: tuple[float, float, float], *, snap: float = 1.0, length: float = 1.0, metal: bool = False
) -> Instrument:
    return lambda pitch, _seconds, velocity: _drum(
        pitch, velocity, thump=thump, snap=snap, length=length, metal=metal
    )


@cache
def _soundfont() -> Any:
    """A General MIDI bank of recorded instruments, which the wheel pretty-midi carries."""
    import tinysoundfont._tinysoundfont as native

    spec = find_spec("pretty_midi")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("The sampled instruments are missing: uv sync --all-packages --group bench")
    font = native.SoundFont(str(Path(spec.origin).parent / "TimGM6mb.sf2"))
    font.set_output(native.OutputMode.Mono, RATE, 0.0)
    return font


def _recorded(bank: int, program: int) -> Instrument:
    def play(pitch: int, seconds: float, velocity: float) -> Sound:
        font = _soundfont()
        font.reset()
        font.channel_set_bank(0, bank)
        font.channel_set_preset_number(0, program, bank == 128)
        held = np.zeros(int(seconds * RATE), dtype=np.float32)
        tail = np.zeros(int((0.6 if bank else 0.25) * RATE), dtype=np.float32)
        font.channel_note_on(0, pitch, velocity)
        font.render(held.view(np.uint8))
        if not bank:
            font.channel_note_off(0, pitch)
        font.render(tail.view(np.uint8))
        return np.concatenate([held, tail]) * np.float32(1.6)

    return play


_PROGRAMS = {
    "piano": 0, "rhodes": 4, "vibes": 11, "church": 19, "nylon": 24, "clean": 27, "drive": 30, "upright": 32,
    "finger": 33, "strings": 48, "choir": 52, "brass": 61, "flute": 73, "lead": 81, "harp": 46,
}  # fmt: skip
_KITS = {"standard": 0, "power": 16, "electronic": 24, "tr808": 25, "jazz": 32, "brush": 40}

SOUNDS: dict[str, Instrument] = {
    "saw": saw, "square": square, "pad": pad, "fm": fm, "organ": organ, "pluck": pluck, "sub": sub,
    "reese": reese,
    "deep": _kit((45, 60, 12)),
    "hard": _kit((52, 190, 16), snap=2.0, metal=True),
    "boom": _kit((42, 40, 6), snap=0.5, length=1.3, metal=True),
    "thin": _kit((70, 90, 24), snap=0.3, length=0.6),
    "loose": _kit((60, 70, 18), length=1.6),
} | {f"gm {name}": _recorded(0, program) for name, program in _PROGRAMS.items()} \
  | {f"gm kit {name}": _recorded(128, program) for name, program in _KITS.items()}  # fmt: skip


@lru_cache(maxsize=4096)
def play(name: str, pitch: int, seconds: float, velocity: float) -> Sound:
    return SOUNDS[name](pitch, seconds, velocity)
