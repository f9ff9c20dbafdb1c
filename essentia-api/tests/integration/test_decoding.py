import os
import sys
from pathlib import Path

import pytest

from essentia_api.decode import Decoding
from essentia_api.errors import Refusal


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
