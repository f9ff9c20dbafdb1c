"""The work horse's side of a fetch: starts the fetching process, follows it, ends it."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from dj_contracts.errors import ErrorCode
from dj_servicekit.logs import log
from download_worker.attempt import Attempt
from download_worker.errors import JobFailed
from download_worker.places import JobFolder
from download_worker.processes import end_group
from download_worker.settings import Settings

_POLL_SECONDS = 0.2
# The process that talks to strangers gets none of our secrets.
_ENVIRONMENT = {
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "PYTHONPATH",
    "PYTHONPYCACHEPREFIX",
    "PYTHONDONTWRITEBYTECODE",
    "SSL_CERT_FILE",
}
# Verification has the rest of the bar.
_SHARE_OF_PROGRESS = 90.0


def fetch(url: str, folder: JobFolder, ffmpeg: str, attempt: Attempt, settings: Settings) -> Path:
    """The one file that yt-dlp says it made for this URL, in this folder."""
    order = {
        "url": url,
        "folder": str(folder.path),
        "ffmpeg": ffmpeg,
        "allow_private_hosts": settings.allow_private_hosts,
        "max_bytes": settings.max_download_bytes,
    }
    attempt.report("downloading", 0)
    errors = (folder.path / "fetch.log").open("w+b")
    process = subprocess.Popen(
        [sys.executable, "-m", "download_worker.sources.fetch"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env={name: value for name, value in os.environ.items() if name in _ENVIRONMENT},
        start_new_session=True,
        pass_fds=(folder.lock_fd,),
    )
    try:
        message = _follow(process, json.dumps(order).encode() + b"\n", attempt, settings)
    finally:
        end_group(process)
        errors.seek(0)
        said = errors.read(2000).decode(errors="replace").strip()
        errors.close()
        if said:
            log.info("yt_dlp_said", text=said)
    if message["event"] == "failed":
        raise JobFailed(ErrorCode(message["code"]), message["detail"], transient=message["transient"])
    path = Path(message["path"])
    if path.parent != folder.path:
        raise RuntimeError(f"yt-dlp wrote {path.name} outside the folder of its job.")
    return path


def _follow(
    process: "subprocess.Popen[bytes]", order: bytes, attempt: Attempt, settings: Settings
) -> dict[str, Any]:
    assert process.stdin  # noqa: S101 - both are pipes, which the types cannot know
    assert process.stdout  # noqa: S101
    lines: SimpleQueue[bytes] = SimpleQueue()

    def read(stdout: Any) -> None:
        for line in stdout:
            lines.put(line)
        lines.put(b"")

    threading.Thread(target=read, args=(process.stdout,), name="fetch", daemon=True).start()
    process.stdin.write(order)
    process.stdin.flush()
    give_up_at = time.monotonic() + settings.download_timeout_seconds
    while True:
        attempt.check()
        if time.monotonic() > give_up_at:
            raise JobFailed(
                ErrorCode.UPSTREAM_TIMEOUT,
                f"The download took longer than {settings.download_timeout_seconds:.0f} seconds."
                " It is tried again by itself; DOWNLOAD_TIMEOUT_SECONDS sets the limit.",
                transient=True,
            )
        try:
            line = lines.get(timeout=_POLL_SECONDS)
        except Empty:
            continue
        if not line:
            raise JobFailed(
                ErrorCode.SOURCE_UNAVAILABLE,
                "The downloader ended in the middle. It is tried again by itself.",
                transient=True,
            )
        message: dict[str, Any] = json.loads(line)
        if message["event"] != "progress":
            return message
        total = message["total"]
        attempt.report("downloading", _SHARE_OF_PROGRESS * message["bytes"] / total if total else None)
