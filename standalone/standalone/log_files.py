"""The services' log files: kept small, and shown as lines that a person reads.

A service writes to its file itself, in append mode, so it can be emptied under its hands: copying
and emptying is the one way of rotation that outlives a killed supervisor.
"""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

MOST_BYTES = 10 * 1024**2
_FIELDS_OF_THE_LINE = ("timestamp", "level", "event", "service")


def rotate(path: Path, most_bytes: int = MOST_BYTES) -> None:
    """Keep one older file beside the current one. A few lines may be lost between the two steps."""
    if path.stat().st_size > most_bytes:
        shutil.copyfile(path, path.with_suffix(".log.1"))
        with path.open("r+b") as file:
            file.truncate(0)


def last_line(path: Path) -> str:
    try:
        lines = path.read_text(errors="replace").strip().splitlines()
    except FileNotFoundError:
        return ""
    return readable(lines[-1]) if lines else ""


def readable(line: str) -> str:
    """A JSON line of ours as one line of text; anything else as it is."""
    try:
        fields = json.loads(line)
    except json.JSONDecodeError:
        return line
    if not isinstance(fields, dict) or "event" not in fields:
        return line
    rest = " ".join(f"{name}={value}" for name, value in fields.items() if name not in _FIELDS_OF_THE_LINE)
    when = str(fields.get("timestamp", ""))[:19].replace("T", " ")
    return f"{when} {str(fields.get('level', '')).upper():7} {fields['event']} {rest}".rstrip()


def tail(paths: list[Path], *, lines: int, follow: bool) -> Iterator[tuple[str, str]]:
    """(service, line) of the last lines, and with ``follow`` of every line to come."""
    places: dict[Path, int] = {}
    for path in paths:
        data = path.read_bytes()
        places[path] = data.rfind(b"\n") + 1
        for line in data.decode(errors="replace").splitlines()[-lines:]:
            yield path.stem, readable(line)
    while follow:
        time.sleep(0.3)
        for path in paths:
            size = path.stat().st_size
            if size < places[path]:
                places[path] = 0
            with path.open("rb") as file:
                file.seek(places[path])
                fresh = file.read()
            whole = fresh[: fresh.rfind(b"\n") + 1]
            places[path] += len(whole)
            for line in whole.decode(errors="replace").splitlines():
                yield path.stem, readable(line)
