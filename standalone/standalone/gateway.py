"""The gateway as its clients here use it: the scan of ``up --music``, the demo, the end-to-end tests."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

JSON = dict[str, Any]
_OPEN = ("waiting", "active")


def _say_nothing(_news: object) -> None:
    """For callers that only want the end."""


class GatewayError(Exception):
    """The gateway refused, and its detail says why."""


class Gateway:
    def __init__(self, url: str, *, token: str | None = None, timeout: float = 60) -> None:
        token = token or os.environ.get("API_TOKEN")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        # A proxy of the environment has no business between us and our own machine.
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, **params: Any) -> Any:
        return self._answer(self._http.get(path, params=params))

    def post(self, path: str, body: JSON) -> Any:
        return self._answer(self._http.post(path, json=body))

    def upload(self, file: Path) -> JSON:
        """Add a file to the collection; answers its track. Its analysis is queued."""
        with file.open("rb") as content:
            track: JSON = self._answer(self._http.post("/api/upload", files={"file": (file.name, content)}))
        return track

    def delete(self, path: str) -> None:
        self._answer(self._http.delete(path), as_json=False)

    def text(self, path: str, **params: Any) -> str:
        answer = self._http.get(path, params=params)
        self._answer(answer, as_json=False)
        return answer.text

    def scan(self, folder: str, on_progress: Callable[[JSON], None] = _say_nothing) -> JSON:
        """Scan a folder to the end; answers what was found."""
        job: JSON = self.post("/api/scan", {"path": folder})
        while job["state"] in _OPEN:
            on_progress(job)
            time.sleep(0.3)
            job = self.get(f"/api/jobs/{job['id']}")
        if job["state"] != "completed":
            raise GatewayError(job["failedReason"] or f"The scan was {job['state']}.")
        on_progress(job)
        result: JSON = job["returnvalue"] or {}
        return result

    def jobs_summary(self) -> dict[str, int]:
        summary: dict[str, int] = self.get("/api/jobs", limit=1)["summary"]
        return summary

    def await_jobs(
        self, on_progress: Callable[[dict[str, int]], None] = _say_nothing, *, seconds: float
    ) -> dict[str, int]:
        """Until no job is waiting or active."""
        deadline = time.monotonic() + seconds
        while True:
            summary = self.jobs_summary()
            on_progress(summary)
            if not any(summary.get(state, 0) for state in _OPEN):
                return summary
            if time.monotonic() > deadline:
                raise GatewayError(f"Jobs are still open after {seconds:.0f} s. See: ./dj logs worker")
            time.sleep(0.3)

    def _answer(self, answer: httpx.Response, *, as_json: bool = True) -> Any:
        if answer.is_success:
            return answer.json() if as_json else None
        try:
            detail = answer.json()["detail"]
        except (ValueError, KeyError):
            detail = answer.text[:200]
        raise GatewayError(f"{answer.request.url.path} answered {answer.status_code}: {detail}")
