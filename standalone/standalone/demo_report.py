"""What the demo prints: plain tables that a DJ reads at a glance."""

import shlex
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dj_contracts.keys import Key, find_key
from standalone.crate import RECORDS, Record
from standalone.gateway import JSON
from standalone.home import Home

_TOLERANCE = 0.01
_OCTAVES = (0.5, 1.0, 2.0)


def opening(console: Console) -> None:
    console.print("\n[bold]DJ Playlist[/] makes a crate, measures it, and builds a set that mixes.\n")


def search(console: Console, answers: list[tuple[str, str, JSON]]) -> bool:
    """True when each text, misspelt as it is, finds its title first."""
    all_found = True
    for text, title, answer in answers:
        hit = next(iter(answer["hits"]), None)
        found = hit is not None and hit["title"] == title
        all_found &= found
        first = f"{hit['artist']} – {hit['title']}" if hit else "nothing"
        line = Text("  ✓ ", style="green") if found else Text("  ✗ ", style="red")
        line.append("Search ", style="default").append(f"“{text}”", style="cyan")
        line.append(f" finds {first}" + ("" if found else f", and not {title}"), style="default")
        console.print(line.append(f"   {answer['processingTimeMs']} ms", style="dim"), soft_wrap=True)
    return all_found


def the_set(console: Console, built: JSON) -> None:
    tracks, transitions = built["tracks"], built["transitions"]
    console.print(
        f"\n[bold]The set[/]   mixes {built['score']:.0%}; greedy order {built['greedy_score']:.0%}, "
        f"as the crate lay {built['input_score']:.0%}\n"
    )
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading, side in (("  #", "right"), ("Title", "left"), ("Artist", "left"), ("BPM", "right"),
                          ("Key", "left"), ("", "left"), ("Energy", "right")):  # fmt: skip
        table.add_column(heading, justify="right" if side == "right" else "left", no_wrap=True)
    for number, track in enumerate(tracks, start=1):
        bpm = f"{track['bpm']:.1f}" if track["bpm"] else "–"
        energy = f"{track['energy']:.0f}" if track["energy"] is not None else "–"
        camelot = Text(track["camelot"] or "–", style=_colour(track["key"]))
        row = (f"{number:3}", Text(track["title"], style="bold"), track["artist"], bpm, camelot)
        table.add_row(*row, Text(track["key"] or "", style="dim"), energy)
    console.print(table)
    console.print("\n[bold]How each track leads to the next[/]\n")
    titles = {track["track_id"]: track["title"] for track in tracks}
    for number, move in enumerate(transitions, start=1):
        style = "green" if move["score"] >= 0.75 else "yellow" if move["score"] >= 0.5 else "red"
        line = Text(f"{number:3}  ").append(f"{move['score']:4.0%}", style=style)
        line.append(f"  {titles[move['from_track_id']]} → {titles[move['to_track_id']]}", style="bold")
        console.print(line, soft_wrap=True)
        console.print(Text(f"           {move['reason']}", style="dim"), soft_wrap=True)


def measured_against_truth(console: Console, tracks: list[JSON]) -> bool:
    """True when every tempo is within 1 % up to octave and every key is right."""
    console.print("\n[bold]Measured, beside what is true of each track[/]\n")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading, side in (("  Title", "left"), ("BPM", "right"), ("true", "right"), ("Key", "left"),
                          ("true", "left"), ("", "left")):  # fmt: skip
        table.add_column(heading, justify="right" if side == "right" else "left", no_wrap=True)
    measured = {(track["artist"], track["title"]): track for track in tracks}
    right = 0
    for record in RECORDS:
        track = measured[record.artist, record.title]
        tempo_right, key_right = tempo_agrees(record, track["bpm"]), key_agrees(record, track["key"])
        right += tempo_right and key_right
        verdict = Text("✓", style="green") if tempo_right and key_right else Text("✗", style="red")
        if tempo_right and abs(track["bpm"] / record.tempo_bpm - 1) > _TOLERANCE:
            verdict.append(" half or double time", style="dim")
        bpm = f"{track['bpm']:.2f}" if track["bpm"] else "–"
        row = (f"  {record.title}", bpm, f"{record.tempo_bpm:.2f}", track["camelot"] or "–")
        table.add_row(*row, record.key.camelot, verdict)
    console.print(table)
    console.print(f"\n  {right} of {len(RECORDS)} right: tempo within 1 % up to octave, and the exact key.")
    return right == len(RECORDS)


def tempo_agrees(record: Record, bpm: float | None) -> bool:
    return bpm is not None and any(
        abs(bpm / (record.tempo_bpm * octave) - 1) <= _TOLERANCE for octave in _OCTAVES
    )


def key_agrees(record: Record, key: str | None) -> bool:
    return key is not None and find_key(key) == record.key


def closing(
    console: Console, *, home: Home, crate: Path, m3u8: Path, seconds: float, made_before: bool
) -> None:
    console.print("\n[bold]Where things are[/]\n")
    for what, where in (
        ("the set for your DJ software", m3u8),
        ("the audio", crate),
        ("all data", home.root),
    ):
        console.print(Text(f"  {what:<30}").append(str(where), style="cyan"), soft_wrap=True)
    console.print("\n[bold]Try next[/]\n")
    commands = (
        (f"./dj up{home.option}", "this collection again, on http://127.0.0.1:8000/docs"),
        ("./dj up --music ~/Music", "your own music; files stay where they are"),
        (f"./dj status{home.option}", "from another terminal, while it runs"),
    )
    for command, about in commands:
        console.print(
            Text("  ").append(command, style="bold").append(f"   {about}", style="dim"), soft_wrap=True
        )
    console.print(f"\n[dim]Done in {seconds:.0f} s.[/]\n")
    if made_before:
        console.print("The crate and its measurements are those of an earlier demo. To begin from nothing:\n")
        again = f"rm -r {shlex.quote(str(home.root))} && ./dj demo{home.option}\n"
        console.print(Text("  ").append(again, style="bold"), soft_wrap=True)


def _colour(key: str | None) -> str:
    """Neighbours on the wheel get neighbouring colours."""
    colours = ("red", "orange1", "yellow", "chartreuse1", "green", "spring_green1", "cyan", "deep_sky_blue1",
               "blue", "purple", "magenta", "deep_pink2")  # fmt: skip
    found: Key | None = find_key(key) if key else None
    return colours[found.camelot_number - 1] if found else "default"
