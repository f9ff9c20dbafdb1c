"""Apple Music through the command gamdl, which is optional and never imported.

It is called for one song at a time, into a folder of its own, without a terminal or an input that it
could ask questions on, and is ended when it takes too long or falls silent.
"""

import os
import shutil
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterable
from pathlib import Path

from dj_contracts.downloads import SourceName
from dj_contracts.errors import ErrorCode
from dj_servicekit.logs import log
from download_worker.attempt import Attempt, Transfer
from download_worker.errors import JobFailed
from download_worker.processes import end_group
from download_worker.settings import Settings
from download_worker.sources import gamdl_errors
from download_worker.sources.child import environment
from download_worker.sources.cookies import cookie_file, copy_cookies, refused
from download_worker.sources.port import Offer, Place, Request

_HOST = "music.apple.com"
_AUDIO = {".m4a", ".mp4"}
_POLL_SECONDS = 0.25
_MOST_SAID_BYTES = 200_000
_MOST_LOGGED = 1500


def is_apple_link(link: str) -> bool:
    try:
        host = (urllib.parse.urlsplit(link).hostname or "").lower()
    except ValueError:
        return False  # whoever fetches it says what is wrong with it
    return host in (_HOST, f"geo.{_HOST}", f"beta.{_HOST}")


def is_song_link(link: str) -> bool:
    """An album's link would bring the whole album."""
    parts = urllib.parse.urlsplit(link)
    return "/song/" in parts.path or "i" in urllib.parse.parse_qs(parts.query)


class Gamdl:
    name = SourceName.GAMDL

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def offers(self, request: Request, place: Place, attempt: Attempt) -> Iterable[Offer]:
        for link in request.links:
            if is_apple_link(link):
                yield self._offer(link)

    def _offer(self, link: str) -> Offer:
        def fetch(place: Place, attempt: Attempt) -> Path:
            return self._fetch(link, place, attempt)

        return Offer(link, fetch)

    def _fetch(self, link: str, place: Place, attempt: Attempt) -> Path:
        command = find_gamdl(self._settings.gamdl_command)
        if command is None:
            raise JobFailed(
                ErrorCode.SOURCE_UNSUPPORTED,
                "Apple Music links need gamdl, which is not installed. Install the extra 'gamdl' of"
                " download-worker, or use another link.",
            )
        if not is_song_link(link):
            raise JobFailed(
                ErrorCode.SOURCE_UNSUPPORTED,
                "This is no link of a single song. Give that of the song.",
            )
        cookies = cookie_file(self._settings.cookies_dir, f"https://{_HOST}/")
        if cookies is None:
            raise refused(None, "Apple Music", "apple-music.txt")
        out, temp = place.path / "out", place.path / "temp"
        out.mkdir()
        temp.mkdir()
        words = [
            *(command, "--no-config-file", "--cookies-path", str(copy_cookies(cookies, place.path))),
            *("--output-path", str(out), "--temp-path", str(temp), "--ffmpeg-path", place.ffmpeg),
            # The codec it asks for interactively otherwise; and one flat place, whatever the song is part of.
            *("--song-codec-priority", "aac-web", "--no-synced-lyrics", "--overwrite"),
            *_flat("--album-folder-template", "--compilation-folder-template", "--no-album-folder-template"),
            *_flat("--single-disc-file-template", "--multi-disc-file-template", "--no-album-file-template"),
            *("--", link),
        ]
        said, status = self._run(words, place, attempt)
        log.info("gamdl_said", status=status, text=said[-_MOST_LOGGED:])
        files = [path for path in out.rglob("*") if path.suffix.lower() in _AUDIO and not path.is_symlink()]
        if len(files) > 1:
            raise JobFailed(
                ErrorCode.SOURCE_UNSUPPORTED, "This link brought several songs. Give the link of one song."
            )
        if not files or status != 0 or not gamdl_errors.finished_well(said):
            raise gamdl_errors.classify(said, status)
        return files[0]

    def _run(self, words: list[str], place: Place, attempt: Attempt) -> tuple[str, int | None]:
        log_path = place.path / "gamdl.log"
        leash = [
            sys.executable,
            "-m",
            "download_worker.sources.leash",
            str(self._settings.max_download_bytes),
        ]
        with log_path.open("wb") as output:
            process = subprocess.Popen(
                [*leash, *words],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=place.path,
                env=environment() | {"HOME": str(place.path), "NO_COLOR": "1"},
                # A session of its own has no terminal that a question could be asked on.
                start_new_session=True,
                pass_fds=(place.lock_fd,),
            )
        try:
            self._watch(process, place.path, attempt)
        finally:
            end_group(process)
        with log_path.open("rb") as output:
            output.seek(max(0, log_path.stat().st_size - _MOST_SAID_BYTES))
            return gamdl_errors.plain(output.read()), process.returncode

    def _watch(self, process: "subprocess.Popen[bytes]", folder: Path, attempt: Attempt) -> None:
        """It says nothing of its progress, so the bytes that it has written stand for it."""
        started = quiet_since = time.monotonic()
        size = 0
        attempt.report("downloading", 0)
        while process.poll() is None:
            attempt.wait(_POLL_SECONDS)
            now, before, size = time.monotonic(), size, bytes_below(folder)
            if size != before:
                quiet_since = now
                attempt.report("downloading", None, Transfer(size, None, size / max(now - started, 0.1)))
            if size > self._settings.max_download_bytes:
                raise JobFailed(
                    ErrorCode.TOO_LARGE, "This is larger than MAX_DOWNLOAD_BYTES. Use another link."
                )
            if now - quiet_since > self._settings.gamdl_quiet_seconds:
                raise _too_slow("gamdl hung: it neither said nor wrote anything", "GAMDL_QUIET_SECONDS")
            if now - started > self._settings.gamdl_timeout_seconds:
                raise _too_slow("gamdl took too long", "GAMDL_TIMEOUT_SECONDS")


def find_gamdl(command: str) -> str | None:
    """On the path, or beside the Python that runs us, where the extra puts it."""
    return shutil.which(command) or shutil.which(command, path=str(Path(sys.executable).parent))


def bytes_below(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(parent) / name).lstat().st_size
            except FileNotFoundError:
                continue  # it was moved on meanwhile
    return total


def _flat(*options: str) -> list[str]:
    return [word for option in options for word in (option, "song")]


def _too_slow(what: str, setting: str) -> JobFailed:
    return JobFailed(
        ErrorCode.UPSTREAM_TIMEOUT,
        f"{what}. It is tried again by itself; {setting} sets the limit.",
        transient=True,
    )
