"""How a work horse learns that its worker wants to end, so that it stops waiting for others.

The worker sends SIGUSR1. A plain flag holds it: taking a lock inside a signal handler may deadlock.
"""

import signal
from types import FrameType

_requested = False


def listen_for_stop() -> None:
    signal.signal(signal.SIGUSR1, _note)


def stop_requested() -> bool:
    return _requested


def _note(_signum: int, _frame: FrameType | None) -> None:
    global _requested
    _requested = True
