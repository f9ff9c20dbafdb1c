"""Title, artist, album, year and genre written into a file, on request. What else it says is left alone."""

import shutil
from pathlib import Path
from typing import Any

import mutagen
from mutagen.id3 import ID3, TALB, TCON, TDRC, TIT2, TPE1
from mutagen.mp4 import MP4Tags

from dj_contracts.downloads import WantedTrack
from dj_servicekit.logs import log

_VORBIS = {"title": "title", "artist": "artist", "album": "album", "year": "date", "genre": "genre"}
_MP4 = {"title": "\xa9nam", "artist": "\xa9ART", "album": "\xa9alb", "year": "\xa9day", "genre": "\xa9gen"}
_ID3: dict[str, Any] = {"title": TIT2, "artist": TPE1, "album": TALB, "year": TDRC, "genre": TCON}
_MOST_OFF_SECONDS = 0.1


def write_tags(path: Path, wanted: WantedTrack) -> bool:
    """Into a copy that then takes the place of the file. False when it cannot carry them; it then
    stays as it is, for a file without tags is better than none."""
    copy = path.with_name(f"tagged{path.suffix}")
    shutil.copyfile(path, copy)
    try:
        before = mutagen.File(path)
        if before is None or not _write(copy, wanted):
            return False
        after = mutagen.File(copy)
        if after is None or abs(after.info.length - before.info.length) > _MOST_OFF_SECONDS:
            log.warning("tags_not_written", reason="The file did not read the same afterwards.")
            return False
        copy.replace(path)
    except (mutagen.MutagenError, OSError, ValueError, KeyError, IndexError) as exc:
        # mutagen lets a few plain errors out on files that it does not understand.
        log.warning("tags_not_written", reason=repr(exc))
        return False
    finally:
        copy.unlink(missing_ok=True)
    return True


def _write(path: Path, wanted: WantedTrack) -> bool:
    file: Any = mutagen.File(path)
    values = {
        "title": [wanted.title],
        "artist": [wanted.artist],
        "album": [wanted.album],
        "year": [str(wanted.year or "")],
        "genre": wanted.genres,
    }
    given = {name: texts for name, value in values.items() if (texts := [text for text in value if text])}
    if file.tags is None:
        file.add_tags()
    tags = file.tags
    if isinstance(tags, ID3):
        frames: Any = tags
        for name, texts in given.items():
            frames.add(_ID3[name](encoding=3, text=texts))
        # 2.3 is what players and Windows read.
        frames.update_to_v23()
        file.save(v2_version=3)
        return True
    names = _MP4 if isinstance(tags, MP4Tags) else _VORBIS
    for name, texts in given.items():
        tags[names[name]] = texts
    file.save()
    return True
