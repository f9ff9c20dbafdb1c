"""Is this file audio, whole, and not silence? ffmpeg decodes it to the end to find out, and converts it.

ffmpeg is told which containers it may open: a playlist that calls itself .mp3 would otherwise make
it read other files.
"""

import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from dj_contracts.downloads import AudioFormat
from dj_contracts.errors import ErrorCode
from download_worker.attempt import Attempt
from download_worker.errors import JobFailed
from download_worker.processes import end_group

_CONTAINERS = (
    "aac,ac3,aiff,ape,asf,avi,caf,flac,flv,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,mpegts,ogg,tta,w64,wav"
    ",wv"
)
_INPUT = re.compile(r"^Input #0, ([^\s]+), from", re.M)
_AUDIO = re.compile(r"^\s+Stream #0:\d+.*?: Audio: (\w+)(.*)$", re.M)
_VIDEO = re.compile(r"^\s+Stream #0:\d+.*?: Video: (?!.*\(attached pic\))", re.M)
_STATED = re.compile(r"^\s+Duration: (\d+):(\d\d):(\d\d\.\d+)", re.M)
_DECODED = re.compile(r"^out_time_us=(\d+)", re.M)
_LOUDEST = re.compile(r"max_volume: (-?[\d.]+|-inf) dB")
_SILENT_DB = -80.0
# Stated lengths of files with a varying bit rate are estimates; a real cut is far shorter.
_LEAST_SHARE_DECODED = 0.95

# What a container is called when it holds only this codec. None: put the stream in one of its own.
_SUFFIXES = {
    "aac": "m4a",
    "alac": "m4a",
    "mp3": "mp3",
    "mp2": "mp3",
    "opus": "opus",
    "vorbis": "ogg",
    "flac": "flac",
    "wmav2": "wma",
    "ac3": "ac3",
    "ape": "ape",
    "wavpack": "wv",
    "tta": "tta",
}

_LOSSLESS = {"flac", "alac", "wavpack", "ape", "tta"}
# Whoever asks for a lossy form gets the best of it: the file is played on big speakers.
_ENCODERS = {
    AudioFormat.MP3: ["-c:a", "libmp3lame", "-b:a", "320k", "-id3v2_version", "3"],
    AudioFormat.M4A: ["-c:a", "aac", "-b:a", "256k"],
    AudioFormat.OPUS: ["-c:a", "libopus", "-b:a", "192k"],
    AudioFormat.FLAC: ["-c:a", "flac"],
    AudioFormat.WAV: ["-c:a", "pcm_s16le"],
    AudioFormat.AIFF: ["-c:a", "pcm_s16be", "-write_id3v2", "1"],
}
_LOSSLESS_FORMATS = {AudioFormat.FLAC, AudioFormat.WAV, AudioFormat.AIFF}


@dataclass(frozen=True)
class Audio:
    container: str
    codec: str
    duration_seconds: float
    has_video: bool
    bits: int = 16

    @property
    def lossless(self) -> bool:
        """By its codec. What was lossy before and then put into a FLAC cannot be told from here."""
        return self.codec in _LOSSLESS or self.codec.startswith("pcm_")

    @property
    def suffix(self) -> str:
        """The true one, whatever the link called it."""
        if self.container in ("wav", "w64", "aiff", "caf", "aac"):
            return self.container
        if self.codec.startswith("pcm_"):
            return "wav"
        if self.codec == "flac" and self.container == "ogg":
            return "ogg"
        return _SUFFIXES.get(self.codec, "mka")

    @property
    def stands_alone(self) -> bool:
        """Its container is one for audio, so it is kept byte for byte."""
        plain = self.container.split(",")[0]
        wrapped = plain in ("matroska", "mpegts", "flv", "avi") or (plain == "mov" and self.suffix != "m4a")
        return not self.has_video and not wrapped


def find_ffmpeg() -> str:
    """The system's, if there is one; it may have been chosen with care."""
    if programs := list_ffmpegs():
        return programs[0]
    raise JobFailed(
        ErrorCode.INTERNAL, "ffmpeg is not installed. Install it, or the extra ffmpeg of download-worker."
    )


def list_ffmpegs() -> list[str]:
    """The system's, and the one that the wheel imageio-ffmpeg carries, where they are installed."""
    found = shutil.which("ffmpeg")
    carried = []
    if find_spec("imageio_ffmpeg"):
        import imageio_ffmpeg

        carried.append(str(imageio_ffmpeg.get_ffmpeg_exe()))
    return [found, *carried] if found else carried


def verify(path: Path, ffmpeg: str, attempt: Attempt, *, timeout_seconds: float) -> Audio:
    """What the file holds, or why it is not attached."""
    if path.stat().st_size == 0:
        raise JobFailed(ErrorCode.FILE_EMPTY, "The source sent an empty file. Use another link.")
    words = [
        "-i",
        str(path),
        "-map",
        "0:a:0",
        "-af",
        "volumedetect",
        "-f",
        "null",
        "-progress",
        "pipe:2",
        "-",
    ]
    status, said = run_ffmpeg(ffmpeg, words, attempt, timeout_seconds)
    container, codec = _INPUT.search(said), _AUDIO.search(said)
    if not container or not codec:
        raise JobFailed(
            ErrorCode.NOT_AUDIO,
            "What is at this link is not audio. Give the link of the audio file or of its page.",
        )
    decoded = max((int(found) / 1e6 for found in _DECODED.findall(said)), default=0.0)
    if status != 0 or decoded <= 0:
        raise JobFailed(
            ErrorCode.FILE_UNREADABLE,
            "The file at this link is damaged and cannot be played. Use another link.",
        )
    stated = _STATED.search(said)
    if stated and decoded < _LEAST_SHARE_DECODED * _seconds(stated) - 1:
        raise JobFailed(
            ErrorCode.FILE_UNREADABLE,
            f"Only {decoded:.0f} of {_seconds(stated):.0f} seconds of this file play. Use another link.",
        )
    loudest = _LOUDEST.search(said)
    if loudest and float(loudest[1]) < _SILENT_DB:
        raise JobFailed(ErrorCode.NOT_AUDIO, "The file at this link is only silence. Use another link.")
    bits = 24 if "24 bit" in codec[2] or codec[1].startswith(("pcm_s24", "pcm_s32", "pcm_f")) else 16
    return Audio(container[1].rstrip(","), codec[1], decoded, bool(_VIDEO.search(said)), bits)


def take_audio_out(
    path: Path, audio: Audio, ffmpeg: str, attempt: Attempt, *, timeout_seconds: float
) -> Path:
    """The audio stream alone, copied and not encoded again."""
    target = path.with_name(f"alone.{audio.suffix}")
    words = ["-i", str(path), "-map", "0:a:0", "-c", "copy", "-y", str(target)]
    status, _ = run_ffmpeg(ffmpeg, words, attempt, timeout_seconds)
    if status != 0:
        raise JobFailed(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"The sound of this video ({audio.codec}) cannot be taken out of it. Use another link.",
        )
    return target


def convert(
    path: Path, audio: Audio, wish: AudioFormat, ffmpeg: str, attempt: Attempt, *, timeout_seconds: float
) -> Path:
    """The file in the form that was asked for. A lossy one is never dressed up as lossless."""
    if wish in _LOSSLESS_FORMATS and not audio.lossless:
        raise JobFailed(
            ErrorCode.NOT_LOSSLESS,
            f"This source only has {audio.codec}, which is lossy: as {wish.upper()} it would be larger and no"
            " better. Ask for mp3 or m4a, or leave the format out to keep it as it is.",
        )
    target = path.with_name(f"converted.{wish}")
    encoder = [word.replace("s16", f"s{audio.bits}") for word in _ENCODERS[wish]]
    words = ["-i", str(path), "-map", "0:a:0", "-map_metadata", "0", *encoder, "-y", str(target)]
    status, _ = run_ffmpeg(ffmpeg, words, attempt, timeout_seconds)
    if status != 0:
        raise JobFailed(
            ErrorCode.SOURCE_UNSUPPORTED,
            f"The file ({audio.codec}) cannot be converted to {wish}. Ask for another format, or for none.",
        )
    return target


def run_ffmpeg(ffmpeg: str, words: list[str], attempt: Attempt, timeout_seconds: float) -> tuple[int, str]:
    give_up_at = time.monotonic() + timeout_seconds
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [ffmpeg, "-hide_banner", "-nostdin", "-nostats", "-format_whitelist", _CONTAINERS, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,
        )
        try:
            while True:
                attempt.check()
                try:
                    status = process.wait(timeout=0.1)
                    break
                except subprocess.TimeoutExpired:
                    if time.monotonic() > give_up_at:
                        raise JobFailed(
                            ErrorCode.TOO_LONG, "Checking this file took too long. Use a shorter one."
                        ) from None
        finally:
            end_group(process)
        said.seek(0)
        return status, said.read(5_000_000).decode(errors="replace")


def _seconds(stated: re.Match[str]) -> float:
    return int(stated[1]) * 3600 + int(stated[2]) * 60 + float(stated[3])
