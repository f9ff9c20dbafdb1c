"""Musical keys: every usual spelling to one value, and that value back to every notation.

The gateway filters by key and the GA service scores key moves; both read keys here and nowhere
else, so "A minor", "a min", "Am", "8A" and "1m" can never be five different keys.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache


class Mode(StrEnum):
    MAJOR = "major"
    MINOR = "minor"


_NATURALS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SPELLING = {
    Mode.MAJOR: ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"),
    Mode.MINOR: ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B"),
}
_SEMITONES_PER_FIFTH = 7
_MAJOR_TO_RELATIVE_MINOR = 3

_WHEEL = re.compile(r"0?(?P<number>[1-9]|1[0-2]) ?(?P<letter>[abdm])", re.IGNORECASE)
_NOTE = re.compile(
    r"(?P<note>[A-G]) ?-?(?P<accidental>#|b|sharp\b|flat\b)?[ -]*(?P<mode>[a-z]*)\.?",
    re.IGNORECASE,
)
_MODE_WORDS = {
    "": Mode.MAJOR,
    "maj": Mode.MAJOR,
    "major": Mode.MAJOR,
    "dur": Mode.MAJOR,
    "min": Mode.MINOR,
    "minor": Mode.MINOR,
    "mi": Mode.MINOR,
    "moll": Mode.MINOR,
}


@dataclass(frozen=True, slots=False)
class Key:
    """A tonic (0 = C ... 11 = B) and a mode. Two spellings of one key are equal."""

    tonic: int
    mode: Mode

    def __post_init__(self) -> None:
        if not 0 <= self.tonic <= 11:
            raise ValueError(f"A tonic is 0 (C) to 11 (B), not {self.tonic}.")

    @classmethod
    def parse(cls, text: str) -> "Key":
        """Read any usual spelling; ValueError names the text when it is not a key."""
        if (key := find_key(text)) is None:
            raise ValueError(f"{text!r} is not a musical key. Write it like 'Am', 'A minor' or '8A'.")
        return key

    @classmethod
    def on_wheel(cls, number: int, mode: Mode) -> "Key":
        """The key at a Camelot position: number 1-12, minor for A and major for B."""
        major_tonic = (number - 8) * _SEMITONES_PER_FIFTH % 12
        return cls(major_tonic, mode) if mode is Mode.MAJOR else cls((major_tonic + 9) % 12, mode)

    @cached_property
    def fifths(self) -> int:
        """Steps up the circle of fifths from C major, a minor key counted at its relative major."""
        major_tonic = self.tonic if self.mode is Mode.MAJOR else self.tonic + _MAJOR_TO_RELATIVE_MINOR
        return major_tonic * _SEMITONES_PER_FIFTH % 12

    @property
    def camelot_number(self) -> int:
        return (self.fifths + 7) % 12 + 1

    @property
    def camelot(self) -> str:
        return f"{self.camelot_number}{'B' if self.mode is Mode.MAJOR else 'A'}"

    @property
    def open_key(self) -> str:
        return f"{self.fifths + 1}{'d' if self.mode is Mode.MAJOR else 'm'}"

    @property
    def tonic_name(self) -> str:
        return _SPELLING[self.mode][self.tonic]

    @property
    def name(self) -> str:
        """The canonical text, as it is stored: "A minor", "F# major"."""
        return f"{self.tonic_name} {self.mode}"

    @property
    def short(self) -> str:
        """The text that fits a file's key tag: "Am", "F#"."""
        return f"{self.tonic_name}{'' if self.mode is Mode.MAJOR else 'm'}"

    @cached_property
    def compatible(self) -> "tuple[Key, ...]":
        """The keys that mix with this one without a clash: itself, one step either way round the wheel,
        and its relative."""
        number, other = self.camelot_number, Mode.MINOR if self.mode is Mode.MAJOR else Mode.MAJOR
        return (
            self,
            Key.on_wheel(number % 12 + 1, self.mode),
            Key.on_wheel((number - 2) % 12 + 1, self.mode),
            Key.on_wheel(number, other),
        )

    def transposed(self, semitones: int) -> "Key":
        return Key((self.tonic + semitones) % 12, self.mode)

    def __str__(self) -> str:
        return self.name


ALL_KEYS = tuple(Key(tonic, mode) for mode in Mode for tonic in range(12))


@lru_cache(maxsize=4096)  # a page of tracks asks for the same two dozen again and again
def find_key(text: str) -> Key | None:
    """The key that a text names in any usual spelling, or None."""
    folded = unicodedata.normalize("NFKC", text).replace("♯", "#").replace("♭", "b")
    folded = " ".join(folded.replace("_", " ").split())
    return _find_on_wheel(folded) or _find_note(folded)


def _find_on_wheel(text: str) -> Key | None:
    if (match := _WHEEL.fullmatch(text)) is None:
        return None
    number, letter = int(match["number"]), match["letter"].lower()
    mode = Mode.MINOR if letter in "am" else Mode.MAJOR
    # Open Key 1 (C major, A minor) sits at Camelot 8.
    return Key.on_wheel(number if letter in "ab" else (number + 6) % 12 + 1, mode)


def _find_note(text: str) -> Key | None:
    if (match := _NOTE.fullmatch(text)) is None:
        return None
    if match["mode"] in ("m", "M"):  # the one place where the case of a letter carries the mode
        mode = Mode.MINOR if match["mode"] == "m" else Mode.MAJOR
    elif (word := match["mode"].lower()) in _MODE_WORDS:
        mode = _MODE_WORDS[word]
    else:
        return None
    accidental = (match["accidental"] or "").lower()
    shift = {"#": 1, "sharp": 1, "b": -1, "flat": -1}.get(accidental, 0)
    return Key((_NATURALS[match["note"].upper()] + shift) % 12, mode)
