"""A program that talks to strangers: without our secrets, in a session of its own, ended as a whole."""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import IO, Any, Self

from download_worker.processes import end_group
from download_worker.sources.port import Place

_POLL_SECONDS = 0.2
_MOST_SAID_BYTES = 2000
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


def environment() -> dict[str, str]:
    """What such a program may know of ours."""
    return {name: value for name, value in os.environ.items() if name in _ENVIRONMENT}


class Child:
    """A Python module of ours that is told things on stdin and answers in lines on stdout."""

    def __init__(self, words: Sequence[str], place: Place) -> None:
        self._errors: IO[bytes] = (place.path / "child.log").open("w+b")
        self._process = subprocess.Popen(
            [sys.executable, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment(),
            start_new_session=True,
            pass_fds=(place.lock_fd,),
        )
        self._lines: SimpleQueue[bytes] = SimpleQueue()
        threading.Thread(target=self._read, args=(self._process.stdout,), name="child", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        end_group(self._process)
        self._errors.close()

    def send(self, line: str) -> None:
        assert self._process.stdin  # noqa: S101 - it is a pipe, which the types cannot know
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def read_line(self) -> bytes | None:
        """The next line; empty when the child has ended, None when it has said nothing for a moment."""
        try:
            return self._lines.get(timeout=_POLL_SECONDS)
        except Empty:
            return None

    def errors(self) -> str:
        self._errors.seek(0)
        return self._errors.read(_MOST_SAID_BYTES).decode(errors="replace").strip()

    def _read(self, stdout: Any) -> None:
        for line in stdout:
            self._lines.put(line)
        self._lines.put(b"")
