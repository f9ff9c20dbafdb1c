"""Files that are already on this machine: an upload for a track, and a file of a music folder.

Both are copied, so what is written into the copy later leaves the original as it is.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path

from dj_contracts.downloads import SourceName
from dj_contracts.errors import ErrorCode
from download_worker.attempt import Attempt
from download_worker.errors import DISK_FULL, JobFailed, is_disk_full
from download_worker.places import UPLOADS, safe_component
from download_worker.settings import Settings
from download_worker.sources.port import Offer, Place, Request

_CHUNK_BYTES = 4 * 1024**2


class Upload:
    """A file that the gateway has put into ``.uploads`` for this very job."""

    name = SourceName.UPLOAD

    def __init__(self, settings: Settings) -> None:
        self._audio_dir = settings.audio_dir
        self._max_bytes = settings.max_download_bytes

    def offers(self, request: Request, place: Place, attempt: Attempt) -> Iterable[Offer]:
        file = request.payload.file
        if file is not None and is_upload(file):
            path = self._audio_dir / UPLOADS / Path(file).name
            yield _copy_offer(file, path, self._audio_dir / UPLOADS, self._max_bytes)


class Local:
    """A file inside a music folder, or inside the collection's own part of the audio folder."""

    name = SourceName.LOCAL

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def offers(self, request: Request, place: Place, attempt: Attempt) -> Iterable[Offer]:
        file = request.payload.file
        if file is None or is_upload(file):
            return
        own = self._settings.audio_dir / safe_component(request.username)
        path = (self._settings.audio_dir / file).resolve()
        for folder in (own, *self._settings.music_dirs):
            if path.is_relative_to(folder.resolve()):
                yield _copy_offer(file, path, folder, self._settings.max_download_bytes)
                return
        raise JobFailed(
            ErrorCode.FORBIDDEN,
            "The file is outside the folders that files may be taken from. Move it into one of MUSIC_DIRS,"
            " or upload it.",
        )


def is_upload(file: str) -> bool:
    return Path(file).parts[:1] == (UPLOADS,)


def _copy_offer(origin: str, path: Path, inside: Path, max_bytes: int) -> Offer:
    def fetch(place: Place, attempt: Attempt) -> Path:
        real = path.resolve()
        if not real.is_relative_to(inside.resolve()) or not real.is_file():
            raise JobFailed(
                ErrorCode.FILE_MISSING,
                f"The file {path.name!r} is not there any more. Give another.",
            )
        size = real.stat().st_size
        if size > max_bytes:
            raise JobFailed(
                ErrorCode.TOO_LARGE,
                f"The file is larger than the limit of {max_bytes / 1e6:.0f} MB. MAX_DOWNLOAD_BYTES sets it.",
            )
        attempt.report("copying", 0)
        target = place.path / f"copy{real.suffix.lower()}"
        try:
            with real.open("rb") as source, target.open("wb") as copy:
                while chunk := source.read(_CHUNK_BYTES):
                    attempt.check()
                    copy.write(chunk)
        except OSError as exc:
            raise _not_copied(exc, place.path) from exc
        return target

    return Offer(origin, fetch)


def _not_copied(exc: OSError, folder: Path) -> JobFailed:
    if is_disk_full(exc) or shutil.disk_usage(folder).free == 0:
        return DISK_FULL
    return JobFailed(
        ErrorCode.FILE_UNREADABLE, f"The file cannot be read ({exc.strerror}). Check who may read it."
    )
