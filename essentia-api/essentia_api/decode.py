"""Any file that ffmpeg reads to mono samples at 44.1 kHz, in one pass, with its loudness.

The file's own claims are not trusted: only local files in media containers are opened, so that a
playlist disguised as audio cannot make ffmpeg fetch an address or read another file.
"""

import ctypes
import os
import re
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from dj_contracts.errors import ErrorCode
from essentia_api.errors import Refusal

SAMPLE_RATE = 44_100
Samples = NDArray[np.float32]

_CONTAINERS = (
    "mp3,wav,w64,flac,ogg,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,aac,aiff,asf,avi,mpeg,mpegts,au,caf,ac3,eac3,"
    "dts,ape,wv,tta,mpc,mpc8,amr,flv,dsf,iff,tak,truehd,oma,rm"
)
_CHUNK_FRAMES = 1 << 18
_PR_SET_PDEATHSIG = 1
_ANTIPHASE_RATIO = 0.02  # the sum of both channels holds under 2 % of the energy of their difference
_TRUNCATED_SHARE = 0.97
_CLOCK = re.compile(r"Duration: (\d+):(\d\d):(\d\d\.\d+)")
_SUMMARY = re.compile(r"^\s+(I|LRA|Peak):\s+(-?[\d.]+|-?inf|nan) (?:LUFS|LU|dBFS)", re.MULTILINE)
_SILENT_LUFS = -70.0


@dataclass(frozen=True)
class Audio:
    """``mono`` is the mid signal, or the left channel where the two cancel each other."""

    mono: Samples
    integrated_lufs: float | None
    range_lu: float | None
    true_peak_dbtp: float | None

    @property
    def duration_seconds(self) -> float:
        return len(self.mono) / SAMPLE_RATE


def find_ffmpeg() -> str:
    """The ffmpeg on PATH, or else the one that the imageio-ffmpeg wheel carries."""
    if found := shutil.which("ffmpeg"):
        return found
    try:
        import imageio_ffmpeg
    except ImportError as exc:
        raise FileNotFoundError("ffmpeg is not installed. Install it, or the wheel imageio-ffmpeg.") from exc
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def decode(path: Path, *, max_seconds: float, loudness: bool = True) -> Audio:
    """Read a file once; a Refusal says why it cannot be used. Without loudness it takes half the time."""
    _refuse_short_riff(path)
    command = [
        find_ffmpeg(), "-hide_banner", "-nostats", "-nostdin", "-v", "info", "-threads", "1",
        "-protocol_whitelist", "file,pipe", "-format_whitelist", _CONTAINERS, "-i", f"file:{path}",
        "-map", "0:a:0", "-t", str(max_seconds + 1),
        *(("-af", "ebur128=peak=true:framelog=quiet") if loudness else ()),
        "-f", "f32le", "-ac", "2", "-ar", str(SAMPLE_RATE), "pipe:1",
    ]  # fmt: skip
    with tempfile.TemporaryFile() as messages:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=messages,
            preexec_fn=_die_with_parent,
        )
        with process:
            assert process.stdout is not None  # noqa: S101 - asked for a pipe two lines above
            try:
                mono = _read_mono(process.stdout)
            except BaseException:
                process.kill()
                raise
        messages.seek(0)
        text = messages.read(4_000_000).decode("utf-8", "replace")
    _refuse_unusable(len(mono) / SAMPLE_RATE, text, max_seconds)
    return Audio(mono, *_loudness(text))


def _refuse_short_riff(path: Path) -> None:
    """ffmpeg takes the length of a WAV from the file's size, so it never misses what is cut off."""
    with path.open("rb") as file:
        head = file.read(8)
    declared = int.from_bytes(head[4:8], "little")
    if head[:4] != b"RIFF" or declared in (0, 0xFFFFFFFF):
        return
    if path.stat().st_size < declared * _TRUNCATED_SHARE:
        raise Refusal(ErrorCode.FILE_UNREADABLE, "The file breaks off before its end. Get it again.")


def _die_with_parent() -> None:
    """A killed pool process must not leave its ffmpeg behind (Linux; elsewhere a closed pipe ends it)."""
    if os.uname().sysname == "Linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _read_mono(stream: IO[bytes]) -> Samples:
    chunks: list[Samples] = []
    while block := stream.read(_CHUNK_FRAMES * 8):
        stereo = np.frombuffer(block[: len(block) // 8 * 8], dtype=np.float32).reshape(-1, 2)
        left, right = stereo[:, 0], stereo[:, 1]
        mid = (left + right) * np.float32(0.5)
        side = (left - right) * np.float32(0.5)
        if float(np.dot(mid, mid)) < _ANTIPHASE_RATIO * float(np.dot(side, side)):
            mid = left.copy()
        np.nan_to_num(mid, copy=False, nan=0.0, posinf=1.0, neginf=-1.0)
        chunks.append(mid)
    return np.concatenate(chunks) if chunks else np.zeros(0, dtype=np.float32)


def _refuse_unusable(seconds: float, messages: str, max_seconds: float) -> None:
    if seconds == 0:
        raise Refusal(
            ErrorCode.NOT_AUDIO,
            "There is no audio in this file that can be played. It may be damaged, or not music at all.",
        )
    if seconds > max_seconds:
        raise Refusal(
            ErrorCode.TOO_LONG,
            f"The recording is longer than {max_seconds / 60:.0f} minutes. Split it, or raise "
            "MAX_DURATION_SECONDS.",
        )
    declared = _declared_seconds(messages)
    if declared is not None and seconds < declared * _TRUNCATED_SHARE - 1:
        raise Refusal(
            ErrorCode.FILE_UNREADABLE,
            f"The file breaks off after {_clock(seconds)} of {_clock(declared)}. Get it again.",
        )


def _declared_seconds(messages: str) -> float | None:
    """What the container promises, where that is said of the audio and not guessed from a bit rate."""
    pictures_move = any("Video:" in line and "attached pic" not in line for line in messages.splitlines())
    if pictures_move or "Estimating duration from bitrate" in messages:
        return None
    if (match := _CLOCK.search(messages)) is None:
        return None
    return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3])


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _loudness(messages: str) -> tuple[float | None, float | None, float | None]:
    found = {name: float(value) for name, value in _SUMMARY.findall(messages)}
    integrated, peak = found.get("I"), found.get("Peak")
    if integrated is None or not np.isfinite(integrated) or integrated <= _SILENT_LUFS:
        integrated = None
    spread = found.get("LRA") if integrated is not None else None
    return integrated, spread, peak if peak is not None and np.isfinite(peak) else None
