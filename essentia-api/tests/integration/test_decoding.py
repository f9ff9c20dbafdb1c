import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from dj_contracts.errors import ErrorCode
from essentia_api.decode import SAMPLE_RATE, Decoding, find_ffmpeg
from essentia_api.errors import Refusal
from essentia_api.testing import house_loop


@pytest.fixture
def other_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A shell script in the place of ffmpeg; what it writes goes to files beside ``track.mp3``."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "track.mp3").write_bytes(b"\0" * 100)

    def write(script: str) -> None:
        (tmp_path / "ffmpeg").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "ffmpeg").chmod(0o755)

    return write


@pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2, reason="there is nothing to choose from"
)
def test_ffmpeg_keeps_to_one_core(tmp_path: Path, other_ffmpeg: Callable[[str], None]) -> None:
    other_ffmpeg("grep Cpus_allowed_list /proc/self/status > cores")
    with pytest.raises(Refusal, match="no audio"):
        list(Decoding(Path("track.mp3"), max_seconds=60))
    assert (tmp_path / "cores").read_text().split()[1].isdecimal(), "a list of one"


def test_ffmpeg_has_a_session_of_its_own(tmp_path: Path, other_ffmpeg: Callable[[str], None]) -> None:
    leads = "import os; print(os.getsid(0) == os.getpid())"
    other_ffmpeg(f'exec "{sys.executable}" -c "{leads}" > leads')
    with pytest.raises(Refusal, match="no audio"):
        list(Decoding(Path("track.mp3"), max_seconds=60))
    assert (tmp_path / "leads").read_text() == "True\n"


@pytest.mark.parametrize(
    ("end", "code"), [("kill -9 $$", ErrorCode.ANALYSIS_CRASHED), ("exit 69", ErrorCode.FILE_UNREADABLE)]
)
def test_what_ffmpeg_did_not_end_is_no_answer(
    end: str, code: ErrorCode, other_ffmpeg: Callable[[str], None]
) -> None:
    other_ffmpeg(f"head -c 8000000 /dev/zero; {end}")
    with pytest.raises(Refusal) as caught:
        list(Decoding(Path("track.mp3"), max_seconds=60))
    assert caught.value.code is code


@pytest.mark.parametrize("title", ["Duration: 09:00:00.00, start: 0", "Stream #0:1: Video: live"])
def test_titles_and_names_are_not_what_ffmpeg_says(title: str, tmp_path: Path) -> None:
    path = tmp_path / f"  {title}.flac"
    tags = ["-metadata", f"title={title}", "-metadata", f"artist=a\n  {title}"]
    given = ["-f", "lavfi", "-i", "sine=duration=20", *tags]
    subprocess.run([find_ffmpeg(), "-v", "error", *given, f"file:{path}"], check=True)
    assert sum(map(len, Decoding(path, max_seconds=60))) == 20 * SAMPLE_RATE
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(Refusal, match="breaks off after 0:.. of 0:20"):
        list(Decoding(path, max_seconds=60))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the closed pipe ends it")
def test_a_killed_process_takes_its_ffmpeg_along(tmp_path: Path, other_ffmpeg: Callable[[str], None]) -> None:
    other_ffmpeg("echo $$ > pid.part && mv pid.part pid && exec sleep 60")
    decode = (
        "from essentia_api.decode import Decoding, Path; list(Decoding(Path('track.mp3'), max_seconds=60))"
    )
    with subprocess.Popen([sys.executable, "-c", decode]) as decoding:
        try:
            _wait_until((tmp_path / "pid").exists)
        finally:
            decoding.kill()
    ffmpeg = int((tmp_path / "pid").read_text())
    try:
        _wait_until(lambda: not Path(f"/proc/{ffmpeg}/exe").exists())
    finally:
        with suppress(ProcessLookupError):
            os.kill(ffmpeg, signal.SIGKILL)


def _wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


_LAYOUTS = {"mono": "anull", "FL": "pan=FL|FL=c0", "stereo": "aformat=channel_layouts=stereo"}


@pytest.mark.parametrize(("layout", "peak"), [("mono", -18.06), ("FL", -18.06), ("stereo", -21.07)])
def test_the_peak_of_a_tone_is_that_of_its_samples(layout: str, peak: float, tmp_path: Path) -> None:
    shape = f"afade=d=1,afade=t=out:st=5:d=1,{_LAYOUTS[layout]}"
    tone = ["-f", "lavfi", "-i", "sine=997:duration=6", "-af", shape]
    command = [find_ffmpeg(), "-v", "error", *tone, "-c:a", "pcm_f32le", "tone.wav"]
    subprocess.run(command, cwd=tmp_path, check=True)
    decoding = Decoding(tmp_path / "tone.wav", max_seconds=60)
    assert len(list(decoding)) == 1
    assert decoding.levels.true_peak_dbtp == pytest.approx(peak, abs=0.05)


def test_no_sound_is_lost_where_mono_turns_into_stereo(tmp_path: Path) -> None:
    """As in recordings that were put together: ffmpeg begins anew at each such place."""
    loop = house_loop(seconds=0.7)
    joined = b""
    for channels in (1, 2) * 5:
        heard = np.repeat(loop[:, None], channels, axis=1)
        given = ["-f", "f32le", "-ar", str(SAMPLE_RATE), "-ac", str(channels), "-i", "pipe:0"]
        command = [find_ffmpeg(), "-v", "error", *given, "-id3v2_version", "0", "-f", "mp3", "pipe:1"]
        joined += subprocess.run(command, input=heard.tobytes(), capture_output=True, check=True).stdout
    (tmp_path / "joined.mp3").write_bytes(joined)
    seconds = sum(len(part) for part in Decoding(tmp_path / "joined.mp3", max_seconds=60)) / SAMPLE_RATE
    assert seconds == pytest.approx(7, abs=0.6)
