"""Cookies of sites that want a login: a folder of Netscape files that is read and never written.

youtube.txt is for youtube.com, apple-music.txt for music.apple.com. Downloaders rewrite the file that
they are given, so each job gets a copy in its own folder.
"""

import os
import urllib.parse
from pathlib import Path

from dj_contracts.errors import ErrorCode
from download_worker.errors import JobFailed

_LARGEST_BYTES = 2_000_000
_HEADS = ("# Netscape HTTP Cookie File", "# HTTP Cookie File")
# Where the name of the file would not be found in the host.
_OTHER_NAMES = {"youtu.be": ["youtube"], "music.apple.com": ["apple-music", "apple"]}


def cookie_file(folder: Path | None, url: str) -> Path | None:
    """The file for this link's site: named after its host, a part of it, or the site's common name."""
    host = (urllib.parse.urlsplit(url).hostname or "").lower()
    if folder is None or not host:
        return None
    labels = host.split(".")
    names = [".".join(labels[start:]) for start in range(len(labels) - 1)] + labels[-2:-1]
    for name in [*_OTHER_NAMES.get(host, []), *names]:
        path = folder / f"{name}.txt"
        if path.is_file():
            return path
    return None


def copy_cookies(source: Path, folder: Path) -> Path:
    """The job's own copy, that nobody else can read. A file of another kind is refused here."""
    try:
        content = source.read_bytes()
    except OSError as exc:
        raise _unusable(source, f"cannot be read ({exc.strerror})") from exc
    first = content[:200].decode("utf-8", "replace").lstrip("\ufeff").partition("\n")[0].strip()
    if len(content) > _LARGEST_BYTES or not first.startswith(_HEADS):
        raise _unusable(source, "is not a cookies file in Netscape format")
    copy = folder / "cookies.txt"
    fd = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(content)
    return copy


def refused(source: Path | None, site: str, example: str) -> JobFailed:
    """What to do when a site wants a login: other cookies, or any at all."""
    if source is not None:
        detail = f"The cookies of {site} have expired. Export new ones into {source.name} of COOKIES_DIR."
    else:
        detail = f"{site} wants a login for this. Export its cookies into {example} of COOKIES_DIR."
    return JobFailed(ErrorCode.COOKIES_EXPIRED, f"{detail} Then try again, or use another link.")


def _unusable(source: Path, why: str) -> JobFailed:
    return JobFailed(
        ErrorCode.COOKIES_EXPIRED,
        f"{source.name} in COOKIES_DIR {why}. Export it again with a cookies.txt extension of the browser.",
    )
