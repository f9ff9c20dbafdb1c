"""Which files may be read: those below the audio folder and inside the music folders."""

from pathlib import Path

from dj_contracts.errors import ErrorCode
from dj_servicekit.errors import Forbidden, Malformed, TooLarge
from essentia_api.errors import FileMissing, Unusable
from essentia_api.settings import Settings

_OUTSIDE = (
    "This path leads outside the audio and music folders. Name a file below AUDIO_DIR or in MUSIC_DIRS."
)


def find_audio(filename: str, settings: Settings) -> Path:
    """The real path of a file that may be read; links are followed before the folders are checked."""
    if not filename or "\x00" in filename:
        raise Malformed("The file name is empty or holds a NUL character.")
    try:
        path = (settings.audio_dir / filename).resolve()
        allowed = any(path.is_relative_to(folder.resolve()) for folder in settings.folders)
        if not allowed:
            raise Forbidden(_OUTSIDE)
        if not path.is_file():
            raise FileMissing(
                "There is no file at this path. Check the name, scan the folder again, or attach a new file."
            )
        size = path.stat().st_size
    except (OSError, RuntimeError, UnicodeError) as exc:
        raise Malformed("This file name cannot be used on this machine; it may be too long.") from exc
    if size == 0:
        raise Unusable("The file is empty (0 bytes). Get it again.", code=ErrorCode.FILE_EMPTY)
    if size > settings.max_file_bytes:
        raise TooLarge(f"The file is larger than {settings.max_file_bytes:,} bytes (MAX_FILE_BYTES).")
    return path
