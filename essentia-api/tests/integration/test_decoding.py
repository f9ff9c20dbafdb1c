import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from essentia_api.decode import SAMPLE_RATE, Decoding, find_ffmpeg
from essentia_api.errors import Refusal
from essentia_api.testing import house_loop


@pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2, reason="there is nothing to choose from"
)
def test_ffmpeg_keeps_to_one_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ffmpeg = tmp_path / "ffmpeg"
    ffmpeg.write_text('#!/bin/sh\ngrep Cpus_allowed_list /proc/self/status > "$0.cores"\n')
    ffmpeg.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    track = tmp_path / "track.mp3"
    track.write_bytes(b"\0" * 100)
    with pytest.raises(Refusal, match="no audio"):
        list(Decoding(track, max_seconds=60))
    assert (tmp_path / "ffmpeg.cores").read_text().split()[1].isdecimal(), "a list of one"


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
