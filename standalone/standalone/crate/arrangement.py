"""From a record to sound: drums, bass, chords and a tune, bar by bar, on an exact beat grid."""

import math
import zlib
from dataclasses import dataclass

import numpy as np

from dj_contracts.keys import Mode
from standalone.crate import instruments as play
from standalone.crate.instruments import RATE, Sound
from standalone.crate.records import Record, Style

_SECONDS = 34.0
_BEATS = 4


@dataclass(frozen=True)
class Groove:
    """Where things fall in a bar, in beats from 0 to 4."""

    kick: tuple[float, ...]
    back: tuple[float, ...]
    hat: tuple[float, ...]
    open_hat: tuple[float, ...]
    bass: tuple[float, ...]
    stab: tuple[float, ...]
    snare: bool = False


_EVERY_BEAT = (0.0, 1.0, 2.0, 3.0)
_OFF = (0.5, 1.5, 2.5, 3.5)
_EIGHTHS = tuple(n / 2 for n in range(8))
_SIXTEENTHS = tuple(n / 4 for n in range(16))

GROOVES = {
    Style.HOUSE: Groove(_EVERY_BEAT, (1, 3), _EIGHTHS, _OFF, (0, 0.75, 1.5, 2.5, 3.25), (0, 1.5, 2.5)),
    Style.DEEP_HOUSE: Groove(_EVERY_BEAT, (1, 3), _EIGHTHS, _OFF, (0, 1.5, 2, 3.5), (0.5, 2.25)),
    Style.DISCO: Groove(_EVERY_BEAT, (1, 3), _SIXTEENTHS, _OFF, _EIGHTHS, (0.5, 1.5, 2.5, 3.5), snare=True),
    Style.TECHNO: Groove(_EVERY_BEAT, (1, 3), _SIXTEENTHS, _OFF, (0.5, 1.5, 2.5, 3.5), (0, 0.75, 2.75)),
    Style.TRANCE: Groove(
        _EVERY_BEAT, (1, 3), _EIGHTHS, _OFF, (0.25, 0.5, 1.25, 1.5, 2.25, 2.5, 3.25, 3.5), (0, 2)
    ),
    Style.BREAKS: Groove((0, 1.5, 2.5), (1, 3), _EIGHTHS, (3.5,), (0, 1.5, 2.5), (0, 2), snare=True),
    Style.DOWNTEMPO: Groove((0, 1.75, 2.5), (1, 3), _EIGHTHS, (), (0, 1.5, 2.5), (0, 2), snare=True),
}
_FULL_OF_ENERGY = (Style.TECHNO, Style.TRANCE)


def render(record: Record) -> Sound:
    """The whole record, mono, a little under full scale; the same record gives the same samples."""
    beat = 60 / record.tempo_bpm
    bars = max(8, 4 * round(_SECONDS / (beat * _BEATS * 4)))
    out = np.zeros(math.ceil((bars * _BEATS * beat + 1.5) * RATE), dtype=np.float32)
    rng = np.random.default_rng(zlib.crc32(record.title.encode()))
    _drums(out, record, bars, rng)
    _harmony(out, record, bars, rng)
    loud = 1.6 if record.style in _FULL_OF_ENERGY else 1.15
    return np.asarray(np.tanh(out * loud) * 0.88, dtype=np.float32)


def _put(out: Sound, sound: Sound, seconds: float, gain: float = 1.0) -> None:
    start = round(seconds * RATE)
    end = min(start + sound.size, out.size)
    out[start:end] += sound[: end - start] * gain


def _is_break(bar: int, bars: int) -> bool:
    """The last two bars before the final third hold the kick back."""
    return bar in (bars * 2 // 3 - 2, bars * 2 // 3 - 1)


def _drums(out: Sound, record: Record, bars: int, rng: np.random.Generator) -> None:
    groove, beat = GROOVES[record.style], 60 / record.tempo_bpm
    kick, closed, opened = play.kick(), play.hat(rng), play.hat(rng, is_open=True)
    back = play.snare(rng) if groove.snare else play.clap(rng)
    for bar in range(bars):
        start = bar * _BEATS
        parts = [(closed, groove.hat, 0.8), (opened, groove.open_hat, 0.8), (back, groove.back, 1.0)]
        if not _is_break(bar, bars):
            parts.append((kick, groove.kick, 1.0))
        for sound, places, gain in parts:
            for place in places:
                accent = 1.0 if place == int(place) else 0.75
                _put(out, sound, (start + place) * beat, gain * accent)


def _harmony(out: Sound, record: Record, bars: int, rng: np.random.Generator) -> None:
    groove, beat, tonic = GROOVES[record.style], 60 / record.tempo_bpm, record.key.tonic
    bar_seconds = beat * _BEATS
    low = 36 + tonic if tonic < 7 else 24 + tonic
    scale = (0, 3, 7, 12) if record.key.mode is Mode.MINOR else (0, 4, 7, 12)
    for bar in range(bars):
        at = bar * bar_seconds
        root = record.progression[bar % len(record.progression)]
        chord = tuple(48 + (tonic + each) % 12 + (12 if each else 0) for each in _chord(record, root))
        _put(out, play.pad(chord, bar_seconds), at)
        for place in groove.stab:
            if bar >= 4:
                _put(out, play.stab(chord), at + place * beat, 0.8)
        for place in groove.bass:
            note = low + (root if root <= 7 else root - 12)
            if bar >= 2:
                _put(out, play.bass(note, min(0.42 * beat, 0.3)), at + place * beat)
        if bar >= bars // 2:
            for place in (0, 1, 1.5, 2.5):
                note = 72 + tonic - (12 if tonic > 6 else 0) + int(rng.choice(scale))
                _put(out, play.lead(note, 0.8 * beat), at + place * beat, 0.7)


def _chord(record: Record, root: int) -> tuple[int, ...]:
    """A triad on this root: i, iv and v of a minor key are minor, and every other chord is major."""
    is_minor = record.key.mode is Mode.MINOR and root in (0, 5, 7)
    return (root, root + (3 if is_minor else 4), root + 7)
