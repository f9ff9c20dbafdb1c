"""Where files lie: a folder of its own for each attempt, and the final place of a track's audio.

A name from outside never becomes a path as it is. A job's folder is held with a file lock for as
long as its attempt lives, also by the processes it starts, so the sweep can tell dead from alive.
"""

import fcntl
import hashlib
import os
import re
import shutil
import time
import unicodedata
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dj_contracts.errors import ErrorCode
from dj_servicekit.logs import log
from download_worker.errors import JobFailed

INCOMING = ".incoming"
# The gateway keeps a file here that was uploaded for a track, until its job has taken it.
UPLOADS = ".uploads"
_LOCK = ".lock"
_NEW = ".new"
_JOB_FOLDER = re.compile(r"[A-Za-z0-9_-]{1,100}-\d{1,6}(\.new)?")
_NOT_PLAIN = re.compile(r"[^\w.\- ]")
_LONGEST_COMPONENT_BYTES = 100
# An upload whose job failed waits so long for somebody to try the job again.
_KEEP_UPLOADS_SECONDS = 7 * 24 * 3600
# A folder without a lock that is younger than this may be one that is being made just now.
_SETTLED_SECONDS = 60


@dataclass(frozen=True)
class JobFolder:
    path: Path
    lock_fd: int


def safe_component(text: str) -> str:
    """A name for one folder or file. Two different texts never get the same name."""
    normal = unicodedata.normalize("NFC", text)
    plain = _NOT_PLAIN.sub("_", normal).strip(". ")
    while len(plain.encode()) > _LONGEST_COMPONENT_BYTES:
        plain = plain[:-1].rstrip(". ")
    if plain == text and plain:
        return plain
    return f"{plain}~{_digest(text)}" if plain else f"~{_digest(text)}"


def final_path(audio_dir: Path, username: str, track_id: str, url: str, suffix: str) -> Path:
    """The same for each attempt at the same job, so that a repeated one replaces and never adds."""
    last = urllib.parse.unquote(urllib.parse.urlsplit(url).path).rpartition("/")[2]
    stem = safe_component(last.rpartition(".")[0] or last or "audio").partition("~")[0] or "audio"
    folder = audio_dir / safe_component(username) / safe_component(track_id)
    return folder / f"{stem}-{_digest(url)}.{suffix}"


def move_into_place(source: Path, target: Path, audio_dir: Path) -> None:
    """Appear whole or not at all, also after a power cut."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.parent.resolve().is_relative_to(audio_dir.resolve()):
        raise JobFailed(
            ErrorCode.FORBIDDEN,
            f"The folder of this track is a link that leads out of the audio folder ({target.parent.name})."
            " Remove the link and try again.",
        )
    with source.open("rb") as file:
        os.fsync(file.fileno())
    source.replace(target)
    folder_fd = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder_fd)
    finally:
        os.close(folder_fd)


def require_room(audio_dir: Path, min_free_bytes: int) -> None:
    if shutil.disk_usage(audio_dir).free < min_free_bytes:
        raise JobFailed(
            ErrorCode.DISK_FULL,
            "The disk of the audio folder is nearly full. Make room; the job is tried again by itself.",
            transient=True,
        )


@contextmanager
def job_folder(audio_dir: Path, job_id: str, attempt: int) -> Iterator[JobFolder]:
    """An empty folder for this attempt, gone at the end, whatever the end is."""
    name = f"{job_id}-{attempt}"
    if not _JOB_FOLDER.fullmatch(name):
        raise ValueError(f"{name!r} cannot name a folder.")
    incoming = audio_dir / INCOMING
    incoming.mkdir(exist_ok=True)
    # Locked under a first name and then renamed, so that nobody sees it without its lock.
    fresh = incoming / f"{name}{_NEW}"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    lock_fd = os.open(fresh / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX)
        path = incoming / name
        fresh.rename(path)
        try:
            yield JobFolder(path, lock_fd)
        finally:
            shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(lock_fd)


def sweep(audio_dir: Path, job_id: str | None = None) -> int:
    """Remove the folders of dead attempts (of one job): only folders of this kind, and only unlocked ones.

    The answer is how many were left, since they are alive or too young to tell.
    """
    if job_id is None:
        _forget_old_uploads(audio_dir / UPLOADS)
    incoming = audio_dir / INCOMING
    if not incoming.is_dir():
        return 0
    left = 0
    for folder in incoming.iterdir():
        ours = _JOB_FOLDER.fullmatch(folder.name) and not folder.is_symlink() and folder.is_dir()
        if ours and job_id in (None, folder.name.rpartition("-")[0]):
            left += not _removed_if_dead(folder)
    return left


def _removed_if_dead(folder: Path) -> bool:
    try:
        if folder.name.endswith(_NEW) or not (folder / _LOCK).exists():
            if time.time() - folder.stat().st_mtime < _SETTLED_SECONDS:
                return False
            shutil.rmtree(folder)
        else:
            lock_fd = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(lock_fd)
    except BlockingIOError:
        return False
    except OSError as exc:
        log.warning("sweep_skipped", folder=folder.name, reason=str(exc))
        return False
    log.info("dead_attempt_swept", folder=folder.name)
    return True


def _forget_old_uploads(uploads: Path) -> None:
    if not uploads.is_dir():
        return
    for file in uploads.iterdir():
        try:
            if file.is_file() and time.time() - file.stat().st_mtime > _KEEP_UPLOADS_SECONDS:
                file.unlink()
                log.info("old_upload_removed", file=file.name)
        except OSError as exc:
            log.warning("sweep_skipped", folder=file.name, reason=str(exc))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:10]
