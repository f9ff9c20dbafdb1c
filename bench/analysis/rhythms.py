"""Made-up styles without end, to fit weights on. None is one of the benchmark's: patterns, instruments, harmony
and mix are drawn anew for each piece, within what a family of music allows.

Chances as text, one character a step: ``x`` surely a hit, ``o`` every other time, ``-`` one time in five,
``.`` hardly ever.
"""
# ruff: noqa: E501 - a table, one instrument of a family a line

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.analysis.harmony import WideHarmony, pick
from bench.analysis.pieces import Piece, compose
from bench.analysis.sounds import CLAP, HAT, KICK, OPEN_HAT, RIDE, RIM, SHAKER, SNARE, TOM
from bench.analysis.styles import Part, Reading, Style
from dj_contracts.keys import ALL_KEYS

_CHANCES = {"x": 0.97, "o": 0.5, "-": 0.2, ".": 0.02}
_SOFT = 0.15
_KITS = (
    "deep", "hard", "boom", "thin", "loose", "gm kit standard", "gm kit power", "gm kit electronic", "gm kit tr808",
    "gm kit jazz", "gm kit brush",
)  # fmt: skip
_BASSES = ("sub", "reese", "square", "saw", "pluck", "gm finger", "gm upright", "fm")
_CHORDS = (
    "saw", "square", "pad", "fm", "organ", "pluck", "gm piano", "gm rhodes", "gm vibes", "gm nylon", "gm clean",
    "gm strings", "gm choir", "gm brass", "gm harp", "gm drive", "gm church",
)  # fmt: skip
_LEADS = ("square", "saw", "fm", "pluck", "gm lead", "gm flute", "gm vibes", "gm nylon", "gm piano", "gm brass")  # fmt: skip
_OFF_BEAT_CHORDS = ("organ", "gm clean", "gm piano", "gm nylon", "fm")


@dataclass(frozen=True)
class Family:
    name: str
    weight: float  # how often it is drawn
    tempi: tuple[float, float]
    kicks: tuple[str, ...]
    snares: tuple[str, ...]
    hats: tuple[str, ...]
    beats: int = 4
    split: int = 4
    swing: float = 0.0  # at most
    looseness_ms: float = 0.0
    ducking: bool = False
    off_beat_chords: bool = False
    syncopated: bool = False  # the kick may fall anywhere after the first


_FOUR, _BACK, _OFF = "x...x...x...x...", "....x.......x...", "..x...x...x...x."
_NONE = "................"
_EIGHTHS, _SIXTEENTHS, _ROLLS = "x.x.x.x.x.x.x.x.", "xoxoxoxoxoxoxoxo", "x-x-xox-x-x-xoxo"

FAMILIES = (
    Family("house", 3, (112, 132), (_FOUR,), (_BACK, _NONE, "....x.......x..-"), (_OFF, _EIGHTHS, _SIXTEENTHS, _ROLLS), swing=0.2, ducking=True),
    Family("techno", 2, (122, 150), (_FOUR,), (_NONE, _BACK, "....-.......x..."), (_OFF, _SIXTEENTHS, _EIGHTHS, "..x-..x-..x-..x-"), ducking=True),
    Family("trance", 1, (130, 145), (_FOUR,), (_BACK,), (_OFF, _SIXTEENTHS), ducking=True),
    Family("hard", 1.2, (150, 190), (_FOUR,), (_BACK, _NONE), (_OFF, _EIGHTHS), ducking=True),
    Family("drum and bass", 3, (160, 182), ("x.........x.....", "x.-.......x-....", "x-......-.xo....", "x.....-...x....."),
           (_BACK, "....x..-.-..x..-", "....x..o.o..x.--"), (_EIGHTHS, _SIXTEENTHS, _ROLLS, _FOUR), syncopated=True),
    Family("trap", 2.5, (128, 162), ("x--x---.------o-", "x.---.-.--x-.-o-", "x..-..o.--o--.-.", "x.....o...x.....", "x-.o......o-..o."),
           ("........x.......", "........x......-"), (_ROLLS, "x-x-x-xox-xox-xo", _EIGHTHS, _SIXTEENTHS), syncopated=True),
    Family("dubstep", 1.2, (136, 146), ("x..-..o.-..-....", "x.........-o...."), ("........x.......",), (_EIGHTHS, _ROLLS, "x..x..x.x..x..x."), syncopated=True),
    Family("hip hop", 3.2, (76, 104), ("x..-..-ox-o-..-.", "x.....x..xx-....", "x..x...-..x....."), (_BACK, "....x..-...-x..."),
           (_EIGHTHS, _SIXTEENTHS, _ROLLS), swing=0.5, looseness_ms=5, syncopated=True),
    Family("ballad", 3.5, (54, 82), ("x.......x.o-....", "x.....-.x.......", "x.......o......."), (_BACK,),
           (_EIGHTHS, _SIXTEENTHS, _FOUR), swing=0.1, looseness_ms=6),
    Family("reggae", 3.5, (60, 92), ("........x.......", "x.......x.......", "-...-...x...-...", _FOUR), ("........x.......",),
           (_EIGHTHS, _ROLLS, _OFF, "x.o.x.o.x.o.x.oo"), swing=0.35, looseness_ms=5, off_beat_chords=True),
    Family("rock", 4, (84, 172), ("x.....-.x.o.....", "x.o.....x.o...-.", "x.......xo......", "x.....o.o-x....."), (_BACK,),
           (_EIGHTHS, _FOUR, _SIXTEENTHS), swing=0.1, looseness_ms=7),
    Family("disco", 1.5, (104, 130), (_FOUR,), (_BACK,), (_OFF, _SIXTEENTHS, _EIGHTHS), looseness_ms=4, ducking=True),
    Family("breaks", 2, (104, 142), ("x..o..--..x.....", "x.o.......xo-...", "x..-..o...x..o.."), (_BACK, "....x..-.-..x..o"),
           (_EIGHTHS, _SIXTEENTHS, _ROLLS), swing=0.25, looseness_ms=2, syncopated=True),
    Family("garage", 1.3, (126, 140), ("x.........x.....", "x..-......o..o..", "x......-..x.-..."), (_BACK,),
           ("..x...x...x..xx.", "x.xx..x.x.xx..x.", _OFF), swing=0.4, syncopated=True),
    Family("latin", 2.8, (80, 118), (_FOUR, "x.....x.x.....x.", "x..x..x.x..x..x."), ("...x..x....x..x.", "...x..x...x..x..", "....x..x....x..x"),
           (_EIGHTHS, _SIXTEENTHS, "xoxxoxxoxoxxoxxo"), looseness_ms=3, syncopated=True),
    Family("reggaeton", 1.2, (84, 104), (_FOUR, "x.......x......."), ("...x..x....x..x.", "...x..x....x..x-"), (_NONE, _EIGHTHS, _SIXTEENTHS)),
    Family("cumbia", 1.2, (78, 108), ("x.......x.......", _FOUR, "x...x..-x...x..."), ("..x...x...x...x.", "......x.......x.", "..-.x.x...-.x.xx"),
           ("x.xxx.xxx.xxx.xx", _EIGHTHS, "..x...x...x...x."), looseness_ms=4, off_beat_chords=True),
    Family("salsa", 0.5, (160, 208), ("......x.......x.......x.......x.", "......x.....x.........x.....x...", "................"),
           ("....x.......x.x.....x.......x.x.", "x.....x.....x.......x...x.......", "....x...x.......x.....x.....x..."),
           (_FOUR, _EIGHTHS, "x...x.x.x.x.x.x."), looseness_ms=5),
    Family("merengue", 0.7, (120, 160), (_FOUR, "x...x...x...x-x-"), ("x...x...x...xxxx", "....x.......x.x."), ("x.xxx.xxx.xxx.xx", _EIGHTHS), looseness_ms=3),
    Family("bossa nova", 1, (112, 152), ("x.....x.x.....x.", "x.......x.......", "x.....x.x.....xx"),
           ("x.....x.....x.......x.....x.....", "x.....x.....x.......x.......x...", "....x.....x...........x...x....."), (_EIGHTHS, _EIGHTHS, _FOUR), looseness_ms=5),
    Family("samba", 0.6, (88, 118), ("x.-x....x.-x....", "x..-x..xx..-x..x", "o...x...o...x..x"), ("x.x..x.x.x..x.x.", "..xx.x.x..xx.x..", _NONE),
           (_SIXTEENTHS, "xxxxxxxxxxxxxxxx"), looseness_ms=4),
    Family("afrobeats", 1, (94, 118), ("x.....x.x.....x.", _FOUR, "x..-..x.....x..."), ("...x..x...x...x.", "x..x..x...x.x...", "......x.......x."),
           ("x.xxx.xxx.xxx.xx", _EIGHTHS, _SIXTEENTHS), swing=0.15, looseness_ms=3),
    Family("two-beat", 1, (92, 150), ("x.......x.......", "x.......x...-..."), (_BACK, "....x.......x.-."), (_FOUR, _NONE, _EIGHTHS), looseness_ms=6),
    Family("funk", 2, (88, 122), ("x.o.....-.xo.x..", "x..x..-...x..-..", "x-......x.o..o.."), ("....x..o.o..x..o", _BACK),
           (_SIXTEENTHS, _EIGHTHS, _ROLLS), swing=0.2, looseness_ms=4, syncopated=True),
    Family("pop", 3, (86, 132), ("x.......x.-.....", "x.....o.x.......", _FOUR, "x..-....x.o....."), (_BACK,),
           (_EIGHTHS, _SIXTEENTHS, _OFF, _FOUR), looseness_ms=2, ducking=True),
    Family("swing", 2.5, (100, 220), ("o..o..o..o..", "............", "-....--..-.."), (".....-.....-", "...x.....x..", "--..-...-..-"),
           ("x..x.xx..x.x", "x..x.ox..x.o", "...x.....x.."), split=3, looseness_ms=6),
    Family("shuffle", 1.5, (84, 150), ("x.....x.-...", "x..x..x..x..", "x....ox....."), ("...x.....x..",),
           ("x.xx.xx.xx.x", "x..x..x..x.."), split=3, looseness_ms=5),
    Family("twelve eight", 5, (46, 84), ("x.....x.....", "x....-x.-...", "x....xx.....", "x..-..o..-..", "x.....-.x..."),
           ("...x.....x..", "...x.....x.-"), ("xxxxxxxxxxxx", "xooxooxooxoo", "x.xx.xx.xx.x", "x..x..x..x.."), split=3, looseness_ms=5),
    Family("six eight", 3, (46, 80), ("x.....", "x....-", "x..-.."), ("...x..", "...x.-"), ("xxxxxx", "xooxoo", "x.xx.x"),
           beats=2, split=3, looseness_ms=5),
    Family("waltz", 3, (84, 190), ("x.....", "x....-", "x...-."), ("..x.x.", "......", "....x.", "..x..."),
           ("..x.x.", "xxxxxx", "x.x.x.", "x.ooxo"), beats=3, split=2, looseness_ms=6),
    Family("slow waltz", 1.4, (66, 110), ("x...........", "x.....-....."), ("....x...x...", "........x..."),
           ("x.x.x.x.x.x.", "xoxoxoxoxoxo", "....x...x..."), beats=3, looseness_ms=6),
    Family("without drums", 1.5, (56, 130), (_NONE,), (_NONE,), (_NONE, _NONE, _EIGHTHS), looseness_ms=8),
)  # fmt: skip


def piece(seed: int) -> tuple[Piece, Family]:
    rng = np.random.default_rng(seed)
    weights = np.array([family.weight for family in FAMILIES])
    family = FAMILIES[int(rng.choice(len(FAMILIES), p=weights / weights.sum()))]
    key = pick(rng, ALL_KEYS)
    style, harmony, seconds = _style(family, rng), WideHarmony(key, rng), float(rng.uniform(36, 64))
    # A seed of its own: from this one, the family that was drawn would settle the tempo within its range.
    other = int(rng.integers(1 << 32))
    return compose(style, "tuning", key, other, seconds=seconds, harmony=harmony), family


def _style(family: Family, rng: np.random.Generator) -> Style:
    bars = 2 if rng.random() < 0.3 else 1
    kick = _strayed(rng, pick(rng, family.kicks), 0.04)
    if family.syncopated and rng.random() < 0.3:
        kick = [0.85, *(0.8 * float(chance) for chance in rng.random(len(kick) - 1) ** 3)]

    def played(chances: Sequence[float]) -> str:
        return "".join(_played(rng, chances) for _ in range(bars))

    drums = {
        KICK: played(kick),
        pick(rng, (SNARE, SNARE, CLAP, RIM)): played(_strayed(rng, pick(rng, family.snares), 0.02)),
        pick(rng, (HAT, HAT, OPEN_HAT, RIDE, SHAKER)): played(_strayed(rng, pick(rng, family.hats), 0.02)),
    }
    if rng.random() < 0.3:
        drums[pick(rng, (SHAKER, RIM, TOM))] = played(list(rng.random(len(kick)) ** 3))
    if family.kicks == (_NONE,):
        drums = {drum: pattern for drum, pattern in drums.items() if drum in (HAT, SHAKER)}
    bass: Part | None = _part(rng, _BASSES, _bass_chances(rng, family, kick), 1.0)
    if family.off_beat_chords and rng.random() < 0.75:
        chords: Part | None = Part(
            pick(rng, _OFF_BEAT_CHORDS), pick(rng, (_OFF, _OFF, "..xx..x...xx..x.")), 0.9
        )
    else:
        chords = _part(rng, _CHORDS, _chord_chances(rng, family), 0.9)
    lead = _part(rng, _LEADS, _chord_chances(rng, family), 0.6) if rng.random() < 0.5 else None
    sounding = {drum: pattern for drum, pattern in drums.items() if set(pattern) != {"."}}
    missing = rng.random()
    if missing < 0.08:
        bass = None
    elif missing < 0.16 and not family.off_beat_chords:
        chords = None
    reading = Reading(pick(rng, _KITS), sounding, bass, chords, lead)
    return Style(
        family.name, family.tempi, 3, reading, reading, beats=family.beats, split=family.split,
        swing=float(rng.uniform(0, family.swing)), ducking=0.6 * (family.ducking and rng.random() < 0.5),
        looseness_ms=family.looseness_ms * float(rng.uniform(0.3, 1.2)),
    )  # fmt: skip


def _strayed(rng: np.random.Generator, chances: str, often: float) -> list[float]:
    """Here and there a step that is otherwise played is not, or the other way round."""
    plain = [_CHANCES[letter] for letter in chances]
    return [abs(chance - 0.5) if rng.random() < often else chance for chance in plain]


def _played(rng: np.random.Generator, chances: Sequence[float]) -> str:
    return "".join(
        ("o" if rng.random() < _SOFT else "x") if rng.random() < chance else "." for chance in chances
    )


def _part(rng: np.random.Generator, sounds: Sequence[str], chances: Sequence[float], gain: float) -> Part:
    steps = _played(rng, chances)
    if set(steps) == {"."}:
        steps = "x" + steps[1:]
    return Part(pick(rng, sounds), steps, gain * float(rng.uniform(0.6, 1.4)))


def _bass_chances(rng: np.random.Generator, family: Family, kick: list[float]) -> list[float]:
    """With the kick, or one of the ways in which chords are played too."""
    if family.off_beat_chords and rng.random() < 0.5:  # a bass that leaves the first beat to the others
        chances = rng.random(len(kick) - 1)
        return [0.0, *(float(chance) * (1.2 if step % 4 else 0.5) for step, chance in enumerate(chances, 1))]
    if rng.random() < 0.35 and max(kick) > 0.5:
        return [0.05 + 0.9 * (chance > 0.5) for chance in kick]
    return _chord_chances(rng, family)


def _chord_chances(rng: np.random.Generator, family: Family) -> list[float]:
    """Held, on beats, between them, twice a beat, or as it comes."""
    steps, split = family.beats * family.split, family.split
    way = rng.random()
    if way < 0.3:
        return [0.97] + [0.01] * (steps - 1)
    if way < 0.47:
        return [0.95 if step % split == 0 else 0.05 for step in range(steps)]
    if way < 0.62:
        return [0.95 if step % split == split - split // 2 else 0.03 for step in range(steps)]
    if way < 0.77:
        return [0.95 if step % max(1, split // 2) == 0 else 0.02 for step in range(steps)]
    return [max(0.6, float(rng.random())), *(float(chance) for chance in rng.random(steps - 1) ** 2)]
