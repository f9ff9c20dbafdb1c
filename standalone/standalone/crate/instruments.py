"""Instruments: each function makes one sound as samples between -1 and 1."""

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float32]
RATE = 44_100


def _time(seconds: float) -> NDArray[np.float64]:
    return np.arange(int(seconds * RATE)) / RATE


def hertz(midi_note: float) -> float:
    return float(440.0 * 2 ** ((midi_note - 69) / 12))


def kick() -> Sound:
    """A sine that falls fast to where no key is heard in it."""
    t = _time(0.28)
    phase = 2 * np.pi * (42 * t + 110 * 0.03 * (1 - np.exp(-t / 0.03)))
    click = np.exp(-t / 0.002) * 0.4
    return ((np.sin(phase) * np.exp(-t / 0.1) + click) * 0.95).astype(np.float32)


def clap(rng: np.random.Generator) -> Sound:
    t = _time(0.18)
    bursts = sum(np.exp(-np.abs(t - start) / 0.008) for start in (0.0, 0.011, 0.023))
    return (_bright(rng, t.size) * (bursts * 0.5 + np.exp(-t / 0.06)) * 0.35).astype(np.float32)


def snare(rng: np.random.Generator) -> Sound:
    t = _time(0.2)
    return (_bright(rng, t.size) * np.exp(-t / 0.07) * 0.6).astype(np.float32)


def hat(rng: np.random.Generator, *, is_open: bool = False) -> Sound:
    t = _time(0.22 if is_open else 0.05)
    noise = np.diff(_bright(rng, t.size + 1))
    return (noise * np.exp(-t / (0.07 if is_open else 0.014)) * 0.3).astype(np.float32)


def _bright(rng: np.random.Generator, size: int) -> NDArray[np.float64]:
    return np.diff(rng.uniform(-1, 1, size + 1))


def bass(midi_note: float, seconds: float) -> Sound:
    t = _time(seconds)
    base = 2 * np.pi * hertz(midi_note) * t
    wave = np.sin(base) + 0.45 * np.sin(2 * base) + 0.2 * np.sin(3 * base)
    return (wave * _gate(t, seconds, attack=0.006, release=0.03) * np.exp(-t / 0.5) * 0.4).astype(np.float32)


def pad(midi_notes: tuple[float, ...], seconds: float) -> Sound:
    """A held chord of soft partials, slightly spread in tuning so that it lives."""
    t = _time(seconds)
    wave = np.zeros(t.size)
    for note in midi_notes:
        for cents, weight in ((-4, 0.5), (4, 0.5)):
            base = 2 * np.pi * hertz(note + cents / 100) * t
            wave += weight * (np.sin(base) + 0.3 * np.sin(2 * base) + 0.12 * np.sin(3 * base))
    return (wave * _gate(t, seconds, attack=0.05, release=0.12) * 0.11).astype(np.float32)


def stab(midi_notes: tuple[float, ...], seconds: float = 0.3) -> Sound:
    """A short, percussive chord: house piano, disco guitar."""
    t = _time(seconds)
    wave = np.zeros(t.size)
    for note in midi_notes:
        base = 2 * np.pi * hertz(note) * t
        partials = (np.sin(n * base) * np.exp(-t * n * 4) / n for n in range(1, 6))
        wave += sum(partials)
    return (wave * _gate(t, seconds, attack=0.002, release=0.04) * 0.16).astype(np.float32)


def lead(midi_note: float, seconds: float) -> Sound:
    t = _time(seconds)
    base = 2 * np.pi * hertz(midi_note) * t + 0.12 * np.sin(2 * np.pi * 5.2 * t)
    wave = np.sin(base) + 0.35 * np.sin(2 * base) + 0.15 * np.sin(3 * base)
    return (wave * _gate(t, seconds, attack=0.01, release=0.06) * np.exp(-t / 0.6) * 0.16).astype(np.float32)


def _gate(t: NDArray[np.float64], seconds: float, *, attack: float, release: float) -> NDArray[np.float64]:
    gate: NDArray[np.float64] = np.minimum(np.minimum(1, t / attack), np.clip((seconds - t) / release, 0, 1))
    return gate
