"""One piece of the set: a style in a key at a tempo, played and mixed, with everything about it known."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from bench.analysis.sounds import CLAP, KICK, RATE, SNARE, Sound, play
from bench.analysis.styles import STYLES, Part, Reading, Style
from dj_contracts.keys import ALL_KEYS, Key, Mode

Half = Literal["tuning", "held back"]
_SCALE = {Mode.MAJOR: (0, 2, 4, 5, 7, 9, 11), Mode.MINOR: (0, 2, 3, 5, 7, 8, 10)}
_PROGRESSIONS = {
    Mode.MAJOR: ((0, 4, 5, 3), (0, 5, 1, 4), (0, 3, 4, 0), (0, 0, 3, 4), (0, 3, 0, 4)),
    Mode.MINOR: ((0, 5, 2, 6), (0, 3, 4, 0), (0, 6, 5, 4), (0, 0, 3, 4), (0, 0, 5, 6)),
}
# Which layers play in each eighth of a piece: drums, hats, bass, chords, lead.
_ARRANGEMENTS = (
    ("hc", "dhb", "dhbc", "dhbcl", "c", "dhbcl", "dhbcl", "dh"),
    ("dh", "dhb", "dhbcl", "cl", "dhbc", "dhbcl", "dhbcl", "hbc"),
    ("dhbc", "dhbcl", "dhbc", "dhbcl", "bc", "dhbcl", "dhbcl", "dhbcl"),
)


@dataclass(frozen=True)
class Piece:
    name: str
    half: Half
    style: str
    drive: int
    bpm: float | None
    key: Key | None
    samples: Sound
    beats: NDArray[np.float64]
    downbeats: NDArray[np.float64]
    constant: bool = True
    cents: float = 0.0
    parts: tuple[tuple[float, float, str], ...] = ()  # from when to when which layers play


class Harmony(Protocol):
    def pitches(self, letter: str, bar: float, index: int, *, last: bool) -> list[int]:
        """Of bass ("b"), chords ("c") or lead ("l"): what their note number ``index`` is, ``bar`` bars in."""
        ...


def compose(
    style: Style, half: Half, key: Key, seed: int, *, seconds: float = 64.0, harmony: Harmony | None = None
) -> Piece:
    rng = np.random.default_rng(seed)
    reading = style.tuning if half == "tuning" else style.held_back
    bpm = round(float(rng.uniform(*style.tempi)), 2)
    offset = float(rng.choice([0.0, rng.uniform(0.02, 0.5), rng.uniform(0.5, 2.5)]))
    bar_steps = style.beats * style.split
    bars = max(8, int(seconds / (style.beats * 60 / bpm)) // 8 * 8)
    step = 60 / bpm / style.split
    times = offset + step * np.arange(bars * bar_steps + 1, dtype=np.float64)
    layers = _ARRANGEMENTS[int(rng.integers(len(_ARRANGEMENTS)))]
    if not reading.drums:
        layers = ("bc", "bcl") * 4
    score = _Score(style, reading, harmony or _PlainHarmony(style, key, rng), rng, times, bars, layers)
    mixed = score.mixed(offset + bars * style.beats * 60 / bpm + 1.0)
    cents = float(rng.choice([0, 0, 0, rng.uniform(-45, 45)]))
    if cents:  # a record that runs fast or slow moves in pitch and in time
        ratio = 2 ** (cents / 1200)
        mixed = np.interp(np.arange(0, len(mixed) - 1, ratio), np.arange(len(mixed)), mixed).astype(
            np.float32
        )
        bpm, times = bpm * ratio, times / ratio
    return Piece(
        f"{style.name} {bpm:.2f} {key.short}", half, style.name, style.drive, bpm, key, mixed,
        times[: -1 : style.split], times[:-1:bar_steps], cents=cents, parts=score.parts(times),
    )  # fmt: skip


class _PlainHarmony:
    """Four triads of one scale."""

    def __init__(self, style: Style, key: Key, rng: np.random.Generator) -> None:
        self.key, self.scale = key, _SCALE[key.mode]
        self.progression = _PROGRESSIONS[key.mode][int(rng.integers(5))]
        self.bars_a_chord = 2 if style.tempi[0] > 150 else 1
        self.melody = rng.integers(0, 5, 32)

    def pitches(self, letter: str, bar: float, index: int, *, last: bool) -> list[int]:
        degree = self.progression[int(bar) // self.bars_a_chord % 4]
        if letter == "b":
            return [self._note(degree, (0, 0, 0, 4)[index % 4], 36 if self.key.tonic < 7 else 24)]
        if letter == "c":
            return [self._note(degree, third, 48) for third in (0, 2, 4)]
        return [self._note(degree, (0, 2, 4, 7, 1)[self.melody[index % 32]], 60)]

    def _note(self, degree: int, above: int, octave: int) -> int:
        steps = degree + above
        leading = self.key.mode is Mode.MINOR and degree == 4 and steps == 6
        return octave + self.key.tonic + self.scale[steps % 7] + 12 * (steps // 7) + leading


class _Score:
    def __init__(
        self, style: Style, reading: Reading, harmony: Harmony, rng: np.random.Generator,
        times: NDArray[np.float64], bars: int, layers: tuple[str, ...],
    ) -> None:  # fmt: skip
        self.style, self.reading, self.harmony, self.rng = style, reading, harmony, rng
        self.times, self.bars, self.layers = times, bars, layers

    def mixed(self, seconds: float) -> Sound:
        drums, music = (np.zeros(int(seconds * RATE) + 4 * RATE, dtype=np.float32) for _ in range(2))
        kicks = self._play_drums(drums)
        for letter, part in (("b", self.reading.bass), ("c", self.reading.chords), ("l", self.reading.lead)):
            if part is not None:
                self._play_part(music, letter, part)
        if self.style.ducking:
            music *= self._ducked(len(music), kicks)
        music = _room(music, self.rng)
        mix = drums / max(1e-6, float(np.std(drums))) * 0.9 * bool(self.reading.drums) + music / np.std(music)
        mix += self.rng.standard_normal(len(mix)).astype(np.float32) * 10 ** (self.rng.uniform(-70, -45) / 20)
        pressed = np.tanh(mix * self.rng.uniform(0.15, 0.45))[: int(seconds * RATE)]
        return np.asarray(pressed / np.max(np.abs(pressed)) * 0.9, dtype=np.float32)

    def parts(self, times: NDArray[np.float64]) -> tuple[tuple[float, float, str], ...]:
        """What sounds in each eighth; ``times`` are those of all steps, as they came out."""
        reading = self.reading
        heard = {_layer(drum) for drum in reading.drums}
        heard |= {
            letter
            for letter, part in zip("bcl", (reading.bass, reading.chords, reading.lead), strict=True)
            if part
        }
        edges = np.linspace(0, len(times) - 1, len(self.layers) + 1).astype(int)
        return tuple(
            (float(times[first]), float(times[last]), "".join(sorted(heard & set(layers))))
            for (first, last), layers in zip(itertools.pairwise(edges), self.layers, strict=True)
        )

    def _sounding(self, bar: int, letter: str) -> bool:
        return letter in self.layers[bar * len(self.layers) // self.bars]

    def _steps(self, pattern: str, letter: str) -> list[tuple[int, float]]:
        """(step, velocity) over the whole piece."""
        length = self.style.beats * self.style.split
        return [
            (at, {"x": 1.0, "o": 0.45}[pattern[at % len(pattern)]])
            for at in range(self.bars * length)
            if pattern[at % len(pattern)] != "." and self._sounding(at // length, letter)
        ]

    def _time(self, step: int) -> float:
        late = self.style.swing if step % 2 else 0.0
        jitter = float(self.rng.normal(0, self.style.looseness_ms / 1000)) if self.style.looseness_ms else 0.0
        width = float(self.times[step + 1] - self.times[step])
        return max(0.0, float(self.times[step]) + late * width + jitter)

    def _play_drums(self, bus: Sound) -> list[float]:
        kicks = []
        for drum, pattern in self.reading.drums.items():
            for step, velocity in self._steps(pattern, _layer(drum)):
                at = self._time(step)
                if drum == KICK:
                    kicks.append(at)
                _add(bus, at, play(self.reading.kit, drum, 0.2, velocity))
        return kicks

    def _play_part(self, bus: Sound, letter: str, part: Part) -> None:
        length = self.style.beats * self.style.split
        steps = self._steps(part.steps, letter)
        for index, (step, velocity) in enumerate(steps):
            bar_end = (step // length + 1) * length
            until = min(steps[index + 1][0] if index + 1 < len(steps) else bar_end, bar_end)
            seconds = round(float(self.times[until] - self.times[step]) * 0.95, 3)
            at = self._time(step)
            last = step // length == self.bars - 1
            for pitch in self.harmony.pitches(letter, step / length, index, last=last):
                _add(bus, at, part.gain * play(part.sound, pitch, seconds, velocity))

    def _ducked(self, count: int, kicks: list[float]) -> Sound:
        gain = np.ones(count, dtype=np.float32)
        dip = 1 - self.style.ducking * np.exp(-np.arange(int(0.35 * RATE)) / (0.12 * RATE)).astype(np.float32)
        for kick in kicks:
            first = int(kick * RATE)
            gain[first : first + len(dip)] = dip[: max(0, count - first)]
        return gain


def _layer(drum: int) -> str:
    return "d" if drum in (KICK, SNARE, CLAP) else "h"


def _add(bus: Sound, at: float, sound: Sound) -> None:
    first = round(at * RATE)
    bus[first : first + len(sound)] += sound[: max(0, len(bus) - first)]


def _room(dry: Sound, rng: np.random.Generator) -> Sound:
    """A reverb of decaying noise."""
    tail = int(RATE * rng.uniform(0.2, 1.2))
    echo = rng.standard_normal(tail) * np.exp(-np.arange(tail) * 5 / tail)
    size = 1 << (len(dry) + tail).bit_length()
    wet = np.fft.irfft(np.fft.rfft(dry, size) * np.fft.rfft(echo.astype(np.float32), size), size)[: len(dry)]
    wet *= np.std(dry) / (np.std(wet) + 1e-9) * rng.uniform(0.1, 0.4)
    return (dry + wet).astype(np.float32)


def whole_set(seconds: float = 64.0) -> Iterator[Piece]:
    """Each reading of each style twice, the keys dealt so that both halves hold all 24."""
    keys = [ALL_KEYS[index] for index in np.random.default_rng(24).permutation(len(ALL_KEYS))]
    halves: tuple[Half, Half] = ("tuning", "held back")
    for index, style in enumerate(STYLES):
        for turn in range(2):
            for at, half in enumerate(halves):
                key = keys[(2 * index + turn + 12 * at) % len(keys)]
                yield compose(style, half, key, seed=4 * index + 2 * turn + at, seconds=seconds)
