"""A track's own file: where this worker sees it, or else a copy that the gateway sends.

The gateway also knows what lies in a bucket, or in a folder of its own machine.
"""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from dj_contracts.errors import ErrorCode
from download_worker.attempt import Attempt
from download_worker.errors import GatewayAway, JobFailed
from download_worker.gateway import GatewayClient
from download_worker.places import require_room
from download_worker.settings import Settings


def find_here(audio_path: str, settings: Settings) -> Path | None:
    path = (settings.audio_dir / audio_path).resolve()
    folders = (settings.audio_dir, *settings.music_dirs)
    seen = any(path.is_relative_to(folder.resolve()) for folder in folders)
    return path if seen and path.is_file() else None


def fetch_copy(
    audio_path: str,
    place: Path,
    attempt: Attempt,
    gateway: GatewayClient,
    settings: Settings,
    *,
    patience_seconds: float,
) -> Path:
    require_room(settings.audio_dir, settings.min_free_bytes)
    name = Path(audio_path).name
    copy = place / f"copy{Path(audio_path).suffix}"
    username = attempt.claim.username
    try:
        found = gateway.fetch_audio(
            username, audio_path, copy, check=attempt.check, patience_seconds=patience_seconds
        )
    except GatewayAway as exc:
        raise JobFailed(
            ErrorCode.UPSTREAM_UNAVAILABLE,
            f"The gateway did not send the file {name!r}. The job is tried again by itself; if this stays so,"
            " look at the log of the gateway.",
            transient=True,
        ) from exc
    if found:
        return copy
    raise JobFailed(ErrorCode.FILE_MISSING, f"The file {name!r} is not there. Put it back and try again.")


def path_in(url: str) -> str | None:
    """The stored path in a URL by which the gateway names a file to the analysis service."""
    if not url.startswith(("http://", "https://")):
        return None
    return parse_qs(urlsplit(url).query).get("filename", [None])[0]
