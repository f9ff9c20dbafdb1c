"""M3U8 as DJ software reads it: UTF-8 without a mark, absolute paths, one comment for what is missing."""

from collections.abc import Iterable
from pathlib import Path

from gateway_api.features.tracks.models import TrackRow

MEDIA_TYPE = "audio/x-mpegurl; charset=utf-8"


def write_m3u8(name: str, tracks: Iterable[tuple[TrackRow, Path | None]]) -> str:
    """Tracks with the paths of their files. One without a file stays, as a comment."""
    lines = ["#EXTM3U", f"#PLAYLIST:{_one_line(name)}"]
    for track, path in tracks:
        title = _one_line(f"{track.artist} - {track.title}" if track.artist else track.title)
        if path is None:
            lines.append(f"# no audio file: {title}")
        elif _one_line(str(path)) != str(path):
            lines.append(f"# its file's name has a line break, which M3U8 cannot hold: {title}")
        else:
            seconds = round(track.duration_seconds) if track.duration_seconds else -1
            lines += [f"#EXTINF:{seconds},{title}", str(path)]
    return "\r\n".join(lines) + "\r\n"


def _one_line(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
