"""One attempt at a job: its heartbeat, its progress, and whether it is still wanted."""

import os
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from dj_contracts.jobs import JobClaim, JobProgress
from dj_servicekit.logs import log
from download_worker.errors import Cancelled, Dropped, GatewayAway, GivenUp
from download_worker.gateway import GatewayClient

_LEAST_SECONDS_BETWEEN_REPORTS = 0.5
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Transfer:
    """How far a file that is on its way has come, as far as anybody knows."""

    bytes_done: int
    bytes_total: float | None = None
    bytes_per_second: float | None = None


class Attempt:
    """Beats from a thread of its own, so that a job busy in native code still shows life."""

    def __init__(self, gateway: GatewayClient, claim: JobClaim, *, heartbeat_seconds: float) -> None:
        self.claim = claim
        self._gateway = gateway
        self._heartbeat_seconds = heartbeat_seconds
        self._news = threading.Condition()
        self._progress: float | None = None
        self._stage: str | None = None
        self._transfer: Transfer | None = None
        self._changed = False
        self._ended = False
        self._dropped: Dropped | None = None
        self._parent = os.getppid()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        with self._news:
            self._ended = True
            self._news.notify()
        self._thread.join(timeout=15)

    def report(self, stage: str, progress: float | None = None, transfer: Transfer | None = None) -> None:
        """Say how far the job is. The thread sends the latest word, at most twice a second."""
        with self._news:
            self._stage = stage
            self._transfer = transfer
            if progress is not None:
                self._progress = min(100.0, max(0.0, progress))
            self._changed = True
            self._news.notify()

    def check(self) -> None:
        """Raise when the attempt is not wanted any more."""
        if self._dropped:
            raise self._dropped
        if os.getppid() != self._parent:
            # A worker killed with -9 leaves its work horse behind. Whoever starts the next worker
            # takes this one for gone, so it must not go on in secret.
            raise GivenUp("The worker of this work horse is gone.")

    def wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while True:
            self.check()
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, _POLL_SECONDS))

    def is_cancelled(self) -> bool:
        """Ask now: after a refused completion, a cancelled job and a lost attempt differ."""
        self._pulse()
        return isinstance(self._dropped, Cancelled)

    def _beat(self) -> None:
        beaten_at = time.monotonic()
        while True:
            with self._news:
                while not self._ended:
                    pause = _LEAST_SECONDS_BETWEEN_REPORTS if self._changed else self._heartbeat_seconds
                    left = beaten_at + pause - time.monotonic()
                    if left <= 0:
                        break
                    self._news.wait(left)
                if self._ended or self._dropped:
                    return
                self._changed = False
            beaten_at = time.monotonic()
            self._pulse()

    def _pulse(self) -> None:
        transfer = self._transfer
        message = JobProgress(attempt=self.claim.attempt, progress=self._progress, stage=self._stage)
        if transfer:
            message.bytes_done = transfer.bytes_done
            message.bytes_total = round(transfer.bytes_total) if transfer.bytes_total else None
            message.bytes_per_second = transfer.bytes_per_second
        try:
            pulse = self._gateway.progress(self.claim.id, message)
        except GivenUp as exc:
            self._dropped = exc
        except (GatewayAway, ValueError) as exc:
            log.warning("heartbeat_missed", reason=str(exc))
        else:
            if pulse.cancelled:
                self._dropped = Cancelled("The job was cancelled.")
