"""What a worker tells the gateway of itself: at its start, and every minute while it lives.

It speaks from the worker's own process, between jobs and while it watches one, and never waits long.
"""

import os
import socket
import time
from datetime import UTC, datetime

import httpx

from dj_contracts.workers import WorkerReport
from dj_servicekit.logs import log
from download_worker.http_client import new_client
from download_worker.settings import Settings
from download_worker.tools import list_cookies, look_at_tools

_EVERY_SECONDS = 60
_TOOLS_EVERY_SECONDS = 3600
_PATIENCE_SECONDS = 3


class SelfReport:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._hostname = socket.gethostname()[:150] or "unknown"
        self._started_at = datetime.now(UTC)
        self._report: WorkerReport | None = None
        self._looked_at = 0.0
        self._said_at: float | None = None

    def say_if_due(self) -> None:
        """A gateway that is away misses a report, and the next is tried a little later."""
        now = time.monotonic()
        if self._said_at is not None and now - self._said_at < _EVERY_SECONDS:
            return
        self._said_at = now
        if self._report is None or now - self._looked_at > _TOOLS_EVERY_SECONDS:
            self._report, self._looked_at = self._look(), now
        token = self._settings.service_token.get_secret_value()
        try:
            with new_client(base_url=self._settings.gateway_url, timeout=_PATIENCE_SECONDS) as http:
                answer = http.post(
                    "/internal/workers",
                    content=self._report.model_dump_json(),
                    headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
                )
        except httpx.TransportError as exc:
            log.info("worker_report_missed", reason=repr(exc))
            return
        if not answer.is_success:
            log.info("worker_report_missed", reason=f"The gateway answered {answer.status_code}.")

    def _look(self) -> WorkerReport:
        return WorkerReport(
            name=f"{self._hostname}-{os.getpid()}",
            hostname=self._hostname,
            process_id=os.getpid(),
            started_at=self._started_at,
            checked_at=datetime.now(UTC),
            tools=look_at_tools(self._settings),
            cookies=list_cookies(self._settings),
        )
