"""What a file sounds like, as Chromaprint sees its first two minutes. ffmpeg computes it."""

import sys
from array import array
from pathlib import Path

import imageio_ffmpeg

from dj_contracts.downloads import Fingerprint
from dj_servicekit.logs import log
from download_worker.attempt import Attempt
from download_worker.media import run_ffmpeg

_SECONDS = "120"


def take_fingerprint(
    path: Path, duration_seconds: float, ffmpeg: str, attempt: Attempt, *, timeout_seconds: float
) -> Fingerprint | None:
    """None for what is too short to have one (under some three seconds)."""
    raw = path.with_name("fingerprint.raw")
    words = ["-i", str(path), "-map", "0:a:0", "-t", _SECONDS, "-f", "chromaprint", "-fp_format", "raw"]
    # A system's ffmpeg may have been built without Chromaprint. The one that comes with us has it.
    for program in dict.fromkeys((ffmpeg, str(imageio_ffmpeg.get_ffmpeg_exe()))):
        status, said = run_ffmpeg(program, [*words, "-y", str(raw)], attempt, timeout_seconds)
        if status == 0:
            break
    else:
        log.warning("no_fingerprint", text=said[-500:])
        return None
    items = array("I")
    content = raw.read_bytes()
    raw.unlink()
    items.frombytes(content[: len(content) // items.itemsize * items.itemsize])
    if sys.byteorder == "big":
        items.byteswap()
    return Fingerprint(items=items.tolist(), duration_seconds=duration_seconds) if items else None
