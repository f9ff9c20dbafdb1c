"""The records of the crate: what each is called and what is true of it."""

from dataclasses import dataclass
from enum import StrEnum

from dj_contracts.keys import Key, Mode


class Style(StrEnum):
    HOUSE = "House"
    DEEP_HOUSE = "Deep House"
    DISCO = "Disco"
    TECHNO = "Techno"
    TRANCE = "Trance"
    BREAKS = "Breakbeat"
    DOWNTEMPO = "Downtempo"


@dataclass(frozen=True)
class Record:
    artist: str
    title: str
    album: str
    year: int
    style: Style
    tempo_bpm: float
    key_name: str
    suffix: str = "mp3"

    @property
    def key(self) -> Key:
        return Key.parse(self.key_name)

    @property
    def progression(self) -> tuple[int, ...]:
        """Roots of the chords, in semitones above the tonic, a bar each. The tonic comes every other
        bar: four chords of equal weight would leave open whether the key is the relative one."""
        if self.key.mode is Mode.MINOR:
            return (0, 5, 0, 7) if self.style is Style.TECHNO else (0, 8, 0, 5)
        return (0, 5, 0, 7)


RECORDS = (
    Record("Marlow Quay", "Harbour Lights", "Slow Tide", 2019, Style.DOWNTEMPO, 112.4, "D minor", "flac"),
    Record("Sable & Finch", "Velvet Alley", "Night Market", 2021, Style.DEEP_HOUSE, 119.5, "A minor"),
    Record("Ines Calder", "Paper Moons", "Paper Moons EP", 2020, Style.DEEP_HOUSE, 121.0, "E minor", "flac"),
    Record("The Copper Club", "Saturday Glass", "Mirrorball", 2018, Style.DISCO, 118.0, "C major"),
    Record("The Copper Club", "Roller Rink Romance", "Mirrorball", 2018, Style.DISCO, 120.25, "G major"),
    Record("Juno Harrow", "Open Window", "First Train Home", 2022, Style.HOUSE, 123.0, "A minor"),
    Record("Juno Harrow", "First Train Home", "First Train Home", 2022, Style.HOUSE, 124.0, "E minor"),
    Record("Björk Åsen", "Nordlys", "Fjell", 2023, Style.HOUSE, 125.5, "B minor", "flac"),
    Record("Kestrel 9", "Concrete Choir", "Signal Loss", 2021, Style.TECHNO, 128.0, "F# minor"),
    Record("Kestrel 9", "Signal Loss", "Signal Loss", 2021, Style.TECHNO, 130.4, "C# minor", "flac"),
    Record("Aurelia Vance", "Ten Thousand Metres", "Ascent", 2017, Style.TRANCE, 132.0, "B minor"),
    Record("Dockside Breakers", "Tin Roof Rain", "Low Bridge", 2016, Style.BREAKS, 126.8, "D major"),
    Record("Dockside Breakers", "Undertow", "Low Bridge", 2016, Style.BREAKS, 132.6, "C# minor", "flac"),
)
