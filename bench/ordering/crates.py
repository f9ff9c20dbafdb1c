"""Tracks to order: real songs from a CSV file, or seeded ones with a like spread."""

import csv
import random
from pathlib import Path
from typing import Any

from dj_contracts.keys import ALL_KEYS, Key, Mode

Track = dict[str, Any]


def songs(path: Path) -> list[Track]:
    """Columns song, artist, album, tempo, key (0-11), mode (1 is major), energy (0-1), duration (ms)."""
    found = []
    with path.open(newline="", encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file)):
            try:
                key = Key(int(row["key"]), Mode.MAJOR if row["mode"] == "1" else Mode.MINOR)
                tempo, energy = float(row["tempo"]), float(row["energy"])
            except ValueError:
                continue
            if tempo > 0:
                track = {
                    "track_id": number,
                    "title": row["song"],
                    "artist": row["artist"],
                    "album": row["album"],
                }
                track |= {"bpm": tempo, "key": key.name, "energy": energy}
                found.append(track | {"duration_seconds": float(row["duration"] or 0) / 1000})
    return found


def made_up(many: int = 10_000, seed: int = 1) -> list[Track]:
    rng = random.Random(seed)
    return [
        {
            "track_id": number,
            "artist": f"artist {rng.randrange(many // 4)}",
            "bpm": round(min(210.0, max(60.0, rng.gauss(121, 28))), 2),
            "key": rng.choice(ALL_KEYS).name,
            "energy": round(rng.betavariate(4, 2), 3),
            "duration_seconds": rng.randint(150, 420),
        }
        for number in range(many)
    ]


def sample(tracks: list[Track], many: int, seed: int, band: tuple[float, float] | None = None) -> list[Track]:
    fitting = [track for track in tracks if band is None or band[0] <= track["bpm"] <= band[1]]
    return random.Random(seed).sample(fitting, many)
