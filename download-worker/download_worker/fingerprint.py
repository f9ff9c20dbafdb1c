"""What a file sounds like, as Chromaprint sees its first two minutes. ffmpeg computes it."""

import sys
import tempfile
from array import array
from pathlib import Path

from dj_contracts.downloads import Fingerprint
from dj_servicekit.logs import log
from download_worker.at_hand import fetch_copy, find_here, path_in
from download_worker.attempt import Attempt
from download_worker.errors import JobFailed
from download_worker.gateway import GatewayClient
from download_worker.media import find_ffmpeg, list_ffmpegs, run_ffmpeg
from download_worker.places import job_folder
from download_worker.settings import Settings

_SECONDS = "120"
_PATIENCE_SECONDS = 120


def take_fingerprint(
    path: Path, duration_seconds: float, ffmpeg: str, attempt: Attempt, *, timeout_seconds: float
) -> Fingerprint | None:
    """None for what is too short to have one (under some three seconds)."""
    words = ["-i", str(path), "-map", "0:a:0", "-t", _SECONDS, "-f", "chromaprint", "-fp_format", "raw"]
    # A system's ffmpeg may have been built without Chromaprint. The wheel's has it.
    for program in dict.fromkeys((ffmpeg, *list_ffmpegs())):
        with tempfile.NamedTemporaryFile() as raw:
            status, said = run_ffmpeg(program, [*words, "-y", raw.name], attempt, timeout_seconds)
            content = Path(raw.name).read_bytes()
        if status == 0:
            break
    else:
        log.warning("no_fingerprint", text=said[-500:])
        return None
    items = array("I")
    items.frombytes(content[: len(content) // items.itemsize * items.itemsize])
    if sys.byteorder == "big":
        items.byteswap()
    return Fingerprint(items=items.tolist(), duration_seconds=duration_seconds) if items else None


def fingerprint_of(
    audio_path: str, duration_seconds: float, attempt: Attempt, gateway: GatewayClient, settings: Settings
) -> Fingerprint | None:
    """Of a track's file that lies in a bucket, or where this worker can see it; essentia-api may see folders
    that it does not."""
    claim = attempt.claim
    try:
        if stored := path_in(audio_path):
            with job_folder(settings.audio_dir, claim.id, claim.attempt) as place:
                copy = fetch_copy(
                    stored, place.path, attempt, gateway, settings, patience_seconds=_PATIENCE_SECONDS
                )
                return _take(copy, duration_seconds, attempt)
        path = find_here(audio_path, settings)
        return _take(path, duration_seconds, attempt) if path else None
    except (JobFailed, OSError) as exc:
        # What was measured is worth more than this, and is not given up for it.
        log.warning("no_fingerprint", text=str(exc))
        return None


def _take(path: Path, duration_seconds: float, attempt: Attempt) -> Fingerprint | None:
    return take_fingerprint(path, duration_seconds, find_ffmpeg(), attempt, timeout_seconds=_PATIENCE_SECONDS)
