"""``python -m dj_servicekit.reload FOLDER MODULE``: run a module, and again when a source in FOLDER changes.

For the development containers. It looks at the files' times rather than waiting for the kernel's word,
which does not come through every kind of mount.
"""

import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

_LOOK_EVERY_SECONDS = 0.5
_STOP_SECONDS = 10.0


def newest(folder: Path) -> tuple[int, int]:
    """The time of the last change, and how many files there are: one that went away counts too."""
    times = [path.stat().st_mtime_ns for path in folder.rglob("*.py") if path.is_file()]
    return max(times, default=0), len(times)


class Reloader:
    def __init__(self, folder: Path, module: str) -> None:
        self._folder = folder
        self._command = [sys.executable, "-m", module]
        self._stopping = False

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._request_stop)
        while True:
            seen = newest(self._folder)
            child = subprocess.Popen(self._command)
            while not self._stopping and newest(self._folder) == seen:
                time.sleep(_LOOK_EVERY_SECONDS)
            self._end(child)
            if self._stopping:
                return 0
            print("reload: a source changed", file=sys.stderr, flush=True)

    def _request_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _end(self, child: "subprocess.Popen[bytes]") -> None:
        child.terminate()
        try:
            child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit("Give the folder to watch and the module to run.")
    raise SystemExit(Reloader(Path(sys.argv[1]), sys.argv[2]).run())
