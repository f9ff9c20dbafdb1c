"""Any file that ffmpeg reads to mono samples at 44.1 kHz, in one pass, window by window, with its loudness.

The file's own claims are not trusted: only local files in media containers are opened, so that a
playlist disguised as audio cannot make ffmpeg fetch an address or read another file.
"""

import ctypes
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from dj_contracts.errors import ErrorCode
from essentia_api.errors import Refusal
from essentia_api.peaks import TruePeak

SAMPLE_RATE = 44_100
Samples = NDArray[np.float32]

_CONTAINERS = (
    "mp3,wav,w64,flac,ogg,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,aac,aiff,asf,avi,mpeg,mpegts,au,caf,ac3,eac3,"
    "dts,ape,wv,tta,mpc,mpc8,amr,flv,dsf,iff,tak,truehd,oma,rm"
)
_CHUNK_FRAMES = 6 * SAMPLE_RATE
_WINDOW_FRAMES = 120 * _CHUNK_FRAMES  # twelve minutes: nearly every track is one window
_PIPE_BYTES = 1 << 20  # at the usual 64 kB ffmpeg waits so often that decoding costs half as much again
_PR_SET_PDEATHSIG = 1
_ANTIPHASE_RATIO = 0.02  # the sum of both channels holds under 2 % of the energy of their difference
_TRUNCATED_SHARE = 0.97
# What ffmpeg says of itself begins a line so; titles and names that say the same are further in.
_CLOCK = re.compile(r"^  Duration: (\d+):(\d\d):(\d\d\.\d+)", re.MULTILINE)
_PICTURES = re.compile(r"^  Stream #\d+:\d+[^:]*: Video:(?!.*attached pic)", re.MULTILINE)
_GUESSED = re.compile(r"^\[[^]]+\] Estimating duration from bitrate", re.MULTILINE)
_AUDIO = re.compile(r"^  Stream #\d+:\d+[^:]*: Audio: (.*)", re.MULTILINE)
_ONE_CHANNEL = re.compile(r", (mono|1 channels)\b")
_MONO_DECIBELS = 3.01  # by which ffmpeg turns a single channel down to make two of it
_SUMMARY = re.compile(r"^\s+(I|LRA):\s+(-?[\d.]+|-?inf|nan) (?:LUFS|LU)", re.MULTILINE)
_SILENT_LUFS = -70.0
_LOUDEST = np.float32(100.0)  # 40 dB over full scale; a file of floats can hold infinity


@dataclass(frozen=True)
class Levels:
    """Of the whole file, by EBU R128; the peak is that of the mono or stereo sound at 44.1 kHz."""

    integrated_lufs: float | None = None
    range_lu: float | None = None
    true_peak_dbtp: float | None = None


def find_ffmpeg() -> str:
    """The ffmpeg on PATH, or else the one that the imageio-ffmpeg wheel carries."""
    if found := shutil.which("ffmpeg"):
        return found
    try:
        import imageio_ffmpeg
    except ImportError as exc:
        raise FileNotFoundError("ffmpeg is not installed. Install it, or the wheel imageio-ffmpeg.") from exc
    return str(imageio_ffmpeg.get_ffmpeg_exe())


class Decoding:
    """One pass over a file; a Refusal says why it cannot be used.

    Iterating gives the mid signal, or the left channel where the two cancel each other, in windows that share
    one buffer: whoever hears a window may change it, and is done with it before the next. What is no longer
    than a window is refused before it is heard, and ``levels`` are those of the file after the last one.
    """

    def __init__(self, path: Path, *, max_seconds: float, loudness: bool = True) -> None:
        self._path = path
        self._max_seconds = max_seconds
        self._loudness = loudness
        self.levels = Levels()
        self.seconds = 0.0

    def __iter__(self) -> Iterator[Samples]:
        _refuse_short_riff(self._path)
        with tempfile.TemporaryFile() as messages:
            process = subprocess.Popen(
                self._command(),
                stdout=subprocess.PIPE,
                stderr=messages,
                start_new_session=True,
                preexec_fn=_settle,
            )
            with process:
                assert isinstance(process.stdout, BufferedReader)  # noqa: S101 - asked for a few lines above
                _widen(process.stdout)
                try:
                    yield from self._windows(process, process.stdout, messages)
                except BaseException:
                    process.kill()
                    raise

    def _command(self) -> list[str]:
        return [
            find_ffmpeg(), "-hide_banner", "-nostats", "-nostdin", "-v", "info", "-threads", "1",
            "-protocol_whitelist", "file,pipe", "-format_whitelist", _CONTAINERS, "-i", f"file:{self._path}",
            "-map", "0:a:0", "-t", str(self._max_seconds + 1),
            *(("-af", "ebur128=framelog=quiet") if self._loudness else ()),
            "-f", "f32le", "-ac", "2", "-ar", str(SAMPLE_RATE), "pipe:1",
        ]  # fmt: skip

    def _windows(
        self, process: subprocess.Popen[bytes], stream: BufferedReader, messages: IO[bytes]
    ) -> Iterator[Samples]:
        # Pages that a short track does not reach are never taken from the machine.
        window = np.empty(_WINDOW_FRAMES, dtype=np.float32)
        # One buffer for all that comes: fresh memory for each chunk costs as much as to fill it.
        chunk = np.empty(2 * _CHUNK_FRAMES, dtype=np.float32)
        filled = total = 0
        peak = TruePeak()
        while count := stream.readinto(chunk.data):
            if filled == len(window):
                _refuse_declared_length(_read(messages), self._max_seconds)
                yield window
                filled = 0
            stereo = _stereo(chunk[: count // 8 * 2])
            if self._loudness:
                peak.feed(stereo)
            _mix(stereo, window[filled : filled + len(stereo)])
            filled += len(stereo)
            total += len(stereo)
        self.seconds = total / SAMPLE_RATE
        status = process.wait()
        text = _read(messages)
        _refuse_unusable(status, self.seconds, text, self._max_seconds)
        self.levels = _levels(text, peak.decibels)
        yield window[:filled]


def _read(messages: IO[bytes]) -> str:
    """What ffmpeg has said so far; where it goes on writing in the file must not move."""
    return os.pread(messages.fileno(), 4_000_000, 0).decode("utf-8", "replace")


def _refuse_short_riff(path: Path) -> None:
    """ffmpeg takes the length of a WAV from the file's size, so it never misses what is cut off."""
    with path.open("rb") as file:
        head = file.read(8)
    declared = int.from_bytes(head[4:8], "little")
    if head[:4] != b"RIFF" or declared in (0, 0xFFFFFFFF):
        return
    if path.stat().st_size < declared * _TRUNCATED_SHARE:
        raise Refusal(ErrorCode.FILE_UNREADABLE, "The file breaks off before its end. Get it again.")


def _widen(pipe: IO[bytes]) -> None:
    if sys.platform == "linux":
        # A machine may grant its users less (pipe-max-size, pipe-user-pages-soft): then it is slower.
        with suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _settle() -> None:
    """On Linux. A killed pool process must not leave its ffmpeg behind (elsewhere a closed pipe ends it). And
    ffmpeg hands each frame from thread to thread, which costs half of all that it takes where that is from
    core to core: it keeps to one, by chance, for it is soon done, and as a batch job is not interrupted at
    each. Where Linux shares out time by sessions that holds in one of its own: two that share one, on two
    cores, are interrupted all the same and take a fifth longer."""
    if os.uname().sysname == "Linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
        with suppress(OSError):
            cores = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(0, {cores[os.getpid() % len(cores)]})


def _stereo(chunk: Samples) -> Samples:
    stereo = chunk.reshape(-1, 2)
    if np.min(stereo, initial=0) >= -_LOUDEST and np.max(stereo, initial=0) <= _LOUDEST:
        return stereo
    return np.clip(np.nan_to_num(stereo, nan=0.0), -_LOUDEST, _LOUDEST)


def _mix(stereo: Samples, mid: Samples) -> None:
    left, right = stereo[:, 0], stereo[:, 1]
    np.add(left, right, out=mid)
    mid *= np.float32(0.5)
    # What the channels have in common and what sets them apart hold half of their energy together.
    common = float(np.dot(mid, mid))
    if common < _ANTIPHASE_RATIO * (float(np.vdot(stereo, stereo)) / 2 - common):
        mid[:] = left


def _refuse_declared_length(messages: str, max_seconds: float) -> None:
    """Before hours of a recording are measured that will be refused at its end."""
    declared = _declared_seconds(messages)
    if declared is not None and declared > max_seconds:
        raise _too_long(max_seconds)


def _refuse_unusable(status: int, seconds: float, messages: str, max_seconds: float) -> None:
    if status < 0:
        raise Refusal(
            ErrorCode.ANALYSIS_CRASHED,
            "ffmpeg crashed or was killed. Ask again; if that does not help, convert the file.",
        )
    if seconds == 0:
        raise Refusal(
            ErrorCode.NOT_AUDIO,
            "There is no audio in this file that can be played. It may be damaged, or not music at all.",
        )
    if seconds > max_seconds:
        raise _too_long(max_seconds)
    declared = _declared_seconds(messages)
    if declared is not None and seconds < declared * _TRUNCATED_SHARE - 1:
        raise Refusal(
            ErrorCode.FILE_UNREADABLE,
            f"The file breaks off after {_clock(seconds)} of {_clock(declared)}. Get it again.",
        )
    if status:
        raise Refusal(
            ErrorCode.FILE_UNREADABLE, f"The file cannot be read after {_clock(seconds)}. Get it again."
        )


def _too_long(max_seconds: float) -> Refusal:
    return Refusal(
        ErrorCode.TOO_LONG,
        f"The recording is longer than {max_seconds / 60:.0f} minutes. Split it, or raise "
        "MAX_DURATION_SECONDS.",
    )


def _declared_seconds(messages: str) -> float | None:
    """What the container promises, where that is said of the audio and not guessed from a bit rate."""
    if _PICTURES.search(messages) or _GUESSED.search(messages):
        return None
    if (match := _CLOCK.search(messages)) is None:
        return None
    return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3])


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _levels(messages: str, true_peak_dbtp: float | None) -> Levels:
    stream = _AUDIO.search(messages)
    if true_peak_dbtp is not None and stream and _ONE_CHANNEL.search(stream[1]):
        true_peak_dbtp += _MONO_DECIBELS
    found = {name: float(value) for name, value in _SUMMARY.findall(messages)}
    integrated = found.get("I")
    if integrated is None or not np.isfinite(integrated) or integrated <= _SILENT_LUFS:
        return Levels(true_peak_dbtp=true_peak_dbtp)
    return Levels(integrated, found.get("LRA"), true_peak_dbtp)
