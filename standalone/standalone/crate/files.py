"""The crate on disk: rendered, encoded with ffmpeg, tagged with mutagen, made once."""

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import mutagen
import numpy as np

from standalone.crate.instruments import RATE, Sound
from standalone.crate.records import RECORDS, Record
from standalone.processes import StartError

_ENCODERS = {"mp3": ["-c:a", "libmp3lame", "-b:a", "192k"], "flac": ["-c:a", "flac"]}
_RENDERING = "1"  # raised when the sound of the same record changes


@dataclass(frozen=True)
class CrateFile:
    record: Record
    path: Path
    was_made: bool


def make_crate(folder: Path) -> Iterator[CrateFile]:
    """Each record's file as it becomes ready. What is there is left alone, so nothing is scanned twice."""
    folder.mkdir(parents=True, exist_ok=True)
    for record in RECORDS:
        path = folder / f"{record.artist} - {record.title}.{record.suffix}"
        mark = folder / f".{path.name}.made"
        wanted = hashlib.sha256(f"{_RENDERING} {record}".encode()).hexdigest()
        if path.exists() and mark.exists() and mark.read_text() == wanted:
            yield CrateFile(record, path, was_made=False)
            continue
        from standalone.crate.arrangement import render

        fresh = folder / f".{path.stem}.new.{record.suffix}"
        encode(render(record), fresh)
        tag(fresh, record)
        fresh.replace(path)
        mark.write_text(wanted)
        yield CrateFile(record, path, was_made=True)


def find_ffmpeg() -> str:
    if found := shutil.which("ffmpeg"):
        return found
    import imageio_ffmpeg

    return str(imageio_ffmpeg.get_ffmpeg_exe())


def encode(sound: Sound, path: Path) -> None:
    samples = (np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()
    argv = [find_ffmpeg(), "-v", "error", "-y", "-f", "s16le", "-ar", str(RATE), "-ac", "1", "-i", "pipe:0"]
    argv += ["-ac", "2", *_ENCODERS[path.suffix[1:]], str(path)]
    done = subprocess.run(argv, input=samples, capture_output=True, check=False)
    if done.returncode != 0:
        raise StartError(
            f"ffmpeg could not write {path.name}: {done.stderr.decode(errors='replace').strip()}"
        )


def tag(path: Path, record: Record) -> None:
    """What a shop would write. Tempo and key are left out: measuring them is the point."""
    file = mutagen.File(path, easy=True)
    if file.tags is None:
        file.add_tags()
    file["title"], file["artist"], file["album"] = record.title, record.artist, record.album
    file["genre"], file["date"] = record.style.value, str(record.year)
    file.save()
