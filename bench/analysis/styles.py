"""What is played: rhythms as text, one character a step. A style's second reading is held back from tuning.

``x`` is a hit, ``o`` a soft one; a pattern as long as a bar repeats, a longer one runs over several bars.
"""
# ruff: noqa: E501 - a table, one part of a band a line

from dataclasses import dataclass

from bench.analysis.sounds import CLAP, HAT, KICK, OPEN_HAT, RIDE, RIM, SHAKER, SNARE, TOM


@dataclass(frozen=True)
class Part:
    sound: str
    steps: str
    gain: float = 1.0


@dataclass(frozen=True)
class Reading:
    """One way to play a style: which kit and instruments, and what they play."""

    kit: str
    drums: dict[int, str]
    bass: Part | None
    chords: Part | None
    lead: Part | None = None


@dataclass(frozen=True)
class Style:
    name: str
    tempi: tuple[float, float]
    drive: int  # how much energy anyone hears in it, 1 to 5
    tuning: Reading
    held_back: Reading
    beats: int = 4  # in a bar
    split: int = 4  # steps in a beat
    swing: float = 0.0  # how late every second step is, in steps
    ducking: float = 0.0
    looseness_ms: float = 0.0


_FOUR = "x...x...x...x..."
_BACK = "....x.......x..."
_OFF = "..x...x...x...x."
_EIGHTHS = "x.x.x.x.x.x.x.x."
_SIXTEENTHS = "xoxoxoxoxoxoxoxo"

STYLES = (
    Style("house", (117, 129), 3,
          Reading("deep", {KICK: _FOUR, CLAP: _BACK, OPEN_HAT: _OFF, SHAKER: "oooooooooooooooo"},
                  Part("sub", "..x...x...xx..x."), Part("gm rhodes", "x..x..x....x....")),
          Reading("gm kit electronic", {KICK: _FOUR, SNARE: _BACK, HAT: _SIXTEENTHS, OPEN_HAT: _OFF},
                  Part("gm finger", "x.x..x..x.x..x.."), Part("gm piano", "..x..x..x..x..x.")), ducking=0.5),
    Style("techno", (126, 146), 4,
          Reading("hard", {KICK: _FOUR, OPEN_HAT: _OFF, HAT: "oxoxoxoxoxoxoxox"},
                  Part("sub", ".xxx.xxx.xxx.xxx", 1.2), Part("square", "..x.....x..x....", 0.5)),
          Reading("deep", {KICK: _FOUR, RIDE: _OFF, RIM: "...x..x....x..x.", SHAKER: _SIXTEENTHS},
                  Part("reese", "..x...x...x...x."), Part("saw", "x..........x....", 0.7)), ducking=0.7),
    Style("trance", (134, 142), 4,
          Reading("hard", {KICK: _FOUR, CLAP: _BACK, OPEN_HAT: _OFF},
                  Part("saw", "..xx..xx..xx..xx"), Part("pad", "x...............", 1.4),
                  Part("square", "x.xx.x.xx.xx.x.x")),
          Reading("gm kit electronic", {KICK: _FOUR, CLAP: _BACK, OPEN_HAT: _OFF, RIDE: _EIGHTHS},
                  Part("square", ".xxx.xxx.xxx.xxx"), Part("gm strings", "x..............."),
                  Part("gm lead", "x..x..x.x..x..x.")), ducking=0.6),
    Style("drum and bass", (168, 179.5), 5,
          Reading("hard", {KICK: "x.........x.....", SNARE: _BACK, HAT: _EIGHTHS},
                  Part("reese", "x.........x....."), Part("pad", "x...............")),
          Reading("gm kit standard", {KICK: "x.x.......xx....", SNARE: "....x..o.o..x..o", RIDE: _EIGHTHS},
                  Part("sub", "x.....x...x..x.."), Part("gm rhodes", "x.....x........."))),
    Style("jungle", (158, 172), 5,
          Reading("loose", {KICK: "x.x.......xx....x.x.......x.....", SNARE: "....x..o.o..x..o....x..o.o....x.",
                            HAT: _EIGHTHS},
                  Part("sub", "x.....x........."), Part("organ", "......x...x.....")),
          Reading("gm kit power", {KICK: "x..x......x.....", SNARE: "....x..o.o.ox...", HAT: _EIGHTHS},
                  Part("sub", "x..x............"), Part("gm strings", "x..............."))),
    Style("trap", (130, 152), 3,
          Reading("boom", {KICK: "x.....x...x.....", CLAP: "........x.......", HAT: "x.x.x.xxx.x.xxxx"},
                  Part("sub", "x.....x...x....."), Part("gm vibes", "x...x.....x...x.", 0.7)),
          Reading("gm kit tr808", {KICK: "x..x..........x.", SNARE: "........x.......", HAT: "xxx.x.x.x.xxx.x."},
                  Part("sub", "x..x..........x."), Part("gm harp", "x.x...x.x.x...x."))),
    Style("boom bap", (80, 98), 2,
          Reading("loose", {KICK: "x.....x..xx.....", SNARE: _BACK, HAT: _EIGHTHS},
                  Part("sub", "x.....x..x......"), Part("fm", "x.........x.....")),
          Reading("gm kit standard", {KICK: "x..x...x..x.....", SNARE: _BACK, HAT: _EIGHTHS},
                  Part("gm upright", "x..x...x..x.x..."), Part("gm piano", "x.....x.....x...")), swing=0.3,
          looseness_ms=4),
    Style("ballad", (60, 79), 2,
          Reading("loose", {KICK: "x.......x.x.....", SNARE: _BACK, HAT: "o.o.o.o.o.o.o.o."},
                  Part("sub", "x.......x......."), Part("gm piano", "x...x...x...x..."), Part("pluck", _EIGHTHS, 0.6)),
          Reading("gm kit brush", {KICK: "x.......x.......", RIM: _BACK, HAT: "o.o.o.o.o.o.o.o."},
                  Part("gm finger", "x.....x.x......."), Part("gm strings", "x..............."),
                  Part("gm nylon", _EIGHTHS)), looseness_ms=5),
    Style("reggae", (66, 84), 2,
          Reading("loose", {KICK: "........x.......", RIM: "........x.......", HAT: "x.x.x.x.x.x.x.x."},
                  Part("sub", "x..x..x...x.x..."), Part("organ", "..x...x...x...x.")),
          Reading("gm kit standard", {KICK: "........x.......", SNARE: "........x.......", HAT: "x.xxx.x.x.xxx.x."},
                  Part("gm finger", "..x.x.x.x...x..."), Part("gm clean", "..x...x...x...x.")), looseness_ms=4),
    Style("rock", (104, 164), 4,
          Reading("loose", {KICK: "x.......x.x.....", SNARE: _BACK, HAT: _EIGHTHS},
                  Part("saw", _EIGHTHS), Part("gm drive", "x...x...x.x.x...", 0.5)),
          Reading("gm kit power", {KICK: "x.....x.x.......", SNARE: _BACK, RIDE: "x...x...x...x..."},
                  Part("gm finger", _EIGHTHS), Part("gm drive", _EIGHTHS, 0.5)), looseness_ms=6),
    Style("disco", (108, 126), 3,
          Reading("deep", {KICK: _FOUR, SNARE: _BACK, OPEN_HAT: _OFF, HAT: _SIXTEENTHS},
                  Part("saw", "x.x.x.x.x.x.x.x."), Part("gm clean", "..xx.xx...xx.xx.")),
          Reading("gm kit standard", {KICK: _FOUR, SNARE: _BACK, OPEN_HAT: _OFF},
                  Part("gm finger", "x.xxx.xxx.xxx.xx"), Part("gm strings", "x.......x.......")), looseness_ms=3),
    Style("breakbeat", (118, 138), 4,
          Reading("loose", {KICK: "x..x......x.....", SNARE: _BACK, HAT: _EIGHTHS, RIM: ".......x.x.....x"},
                  Part("square", "x..x..x...x....."), Part("saw", "......x.......x.", 0.6)),
          Reading("gm kit power", {KICK: "x.x.......x..x..", SNARE: "....x..o....x..o", HAT: _SIXTEENTHS},
                  Part("reese", "x.x...x...x..x.."), Part("organ", "x.....x.....x..."))),
    Style("two-step", (128, 136), 3,
          Reading("thin", {KICK: "x.........x.....", CLAP: _BACK, HAT: "..x...x...x..xx."},
                  Part("sub", "x..x......x..x.."), Part("organ", "...x..x....x..x.")),
          Reading("gm kit tr808", {KICK: "x.........x..x..", SNARE: _BACK, HAT: "x.xx..x.x.xx..x."},
                  Part("gm finger", "x..x..x...x....."), Part("gm rhodes", "x..x..x.........")), swing=0.25),
    Style("reggaeton", (86, 104), 3,
          Reading("boom", {KICK: _FOUR, SNARE: "...x..x....x..x.", HAT: _EIGHTHS},
                  Part("sub", "x...x...x...x..."), Part("pluck", "x..x..x.x..x..x.")),
          Reading("gm kit electronic", {KICK: _FOUR, SNARE: "...x..x....x..x.", SHAKER: _SIXTEENTHS},
                  Part("sub", "x..x..x.x..x..x."), Part("gm brass", "x...............", 0.6))),
    Style("funk", (92, 116), 3,
          Reading("loose", {KICK: "x.x.......x..x..", SNARE: "....x..o.o..x..o", HAT: _SIXTEENTHS},
                  Part("saw", "x..x..x...x..x.x"), Part("gm clean", "..x..x.x..x..x.x", 0.7)),
          Reading("gm kit standard", {KICK: "x..x..x...x.....", SNARE: "....x.......x..o", HAT: _SIXTEENTHS},
                  Part("gm finger", "x..x..xx..x..x.."), Part("gm brass", "x.....x.........", 0.6)), looseness_ms=4),
    Style("synth pop", (96, 128), 3,
          Reading("thin", {KICK: "x.......x.......", SNARE: _BACK, HAT: _EIGHTHS},
                  Part("square", _EIGHTHS), Part("saw", "x...............", 0.6), Part("square", "x.x..x.x..x.x..x")),
          Reading("gm kit electronic", {KICK: "x.....x.x.......", SNARE: _BACK, HAT: _EIGHTHS},
                  Part("saw", "xxxxxxxxxxxxxxxx", 0.7), Part("gm strings", "x..............."),
                  Part("gm lead", "x...x.x...x.x..."))),
    Style("swing", (118, 178), 3,
          Reading("thin", {RIDE: "x..x.xx..x.x", HAT: "...x.....x..", KICK: "o..o..o..o.."},
                  Part("pluck", "x..x..x..x.."), Part("organ", "..x.......x.")),
          Reading("gm kit jazz", {RIDE: "x..x.xx..x.x", HAT: "...x.....x..", SNARE: ".....o.....o"},
                  Part("gm upright", "x..x..x..x.."), Part("gm piano", "x....x......")), split=3, looseness_ms=6),
    Style("six eight", (50, 74), 2,
          Reading("loose", {KICK: "x.....x.....", SNARE: "...x.....x..", HAT: "xxxxxxxxxxxx"},
                  Part("sub", "x.....x....."), Part("pluck", "xxxxxxxxxxxx")),
          Reading("gm kit standard", {KICK: "x....xx.....", SNARE: "...x.....x..", HAT: "xxxxxxxxxxxx"},
                  Part("gm finger", "x.....x....."), Part("gm nylon", "xxxxxxxxxxxx")), split=3, looseness_ms=4),
    Style("waltz", (92, 164), 2,
          Reading("thin", {KICK: "x.....", HAT: "..x.x."}, Part("sub", "x....."), Part("organ", "..x.x.")),
          Reading("gm kit brush", {KICK: "x.....", RIM: "..x.x."}, Part("gm upright", "x....."),
                  Part("gm piano", "..x.x."), Part("gm flute", "x..xx.")), beats=3, split=2, looseness_ms=5),
    Style("piano alone", (70, 120), 1,
          Reading("thin", {}, Part("gm piano", "x.......x......."), Part("gm piano", "x.x.x.x.x.x.x.x.", 0.5)),
          Reading("thin", {}, Part("gm nylon", "x.......x......."), Part("gm nylon", "..x.x.x...x.x.x.", 0.7),
                  Part("gm flute", "x...x.x.x.......")), looseness_ms=8),
    Style("hardcore", (158, 180), 5,
          Reading("hard", {KICK: _FOUR, OPEN_HAT: _OFF, CLAP: _BACK, TOM: "..............xx"},
                  Part("square", "..x...x...x...x."), Part("saw", "x.x.x.x.x.x.x.x.", 0.8)),
          Reading("gm kit electronic", {KICK: _FOUR, OPEN_HAT: _OFF, HAT: _SIXTEENTHS},
                  Part("saw", ".xx..xx..xx..xx."), Part("gm lead", "x..x..x.x..x..x.")), ducking=0.4),
    Style("dubstep", (138, 142), 4,
          Reading("boom", {KICK: "x.....x.........", SNARE: "........x.......", HAT: "x..x..x.x..x..x."},
                  Part("reese", "x.xxx...x.x.x..."), Part("pad", "x...............")),
          Reading("gm kit power", {KICK: "x..........x....", SNARE: "........x.......", HAT: _EIGHTHS},
                  Part("reese", "x...x.x.xxx....."), Part("gm choir", "x..............."))),
)  # fmt: skip
