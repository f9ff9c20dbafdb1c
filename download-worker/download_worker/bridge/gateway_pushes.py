"""What the bridge says to the gateway: one call to register a push, one to ask how it stands."""

from types import TracebackType
from typing import Self

import httpx

from dj_contracts.pushes import PushRegistration, PushState
from download_worker.bridge.pushes import Poison
from download_worker.errors import GatewayAway
from download_worker.http_client import new_client

_FINAL_REFUSALS = (400, 409, 413, 422)


class PushGateway:
    def __init__(self, url: str, token: str) -> None:
        self._http = new_client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(10, connect=3),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._http.close()

    def register(self, push: PushRegistration) -> PushState:
        """One that the gateway refuses for good is poison; anything else is tried again."""
        answer = self._send("POST", "/internal/pushes", push.model_dump_json())
        if answer.status_code in _FINAL_REFUSALS:
            raise Poison(_reason(answer))
        return self._state(answer)

    def find_state(self, job_id: str) -> PushState | None:
        answer = self._send("GET", f"/internal/pushes/{job_id}", None)
        return None if answer.status_code == 404 else self._state(answer)

    def _send(self, method: str, path: str, body: str | None) -> httpx.Response:
        try:
            return self._http.request(
                method, path, content=body, headers={"Content-Type": "application/json"} if body else {}
            )
        except httpx.TransportError as exc:
            raise GatewayAway(repr(exc)) from exc

    def _state(self, answer: httpx.Response) -> PushState:
        if not answer.is_success:
            raise GatewayAway(f"The gateway answered {answer.status_code}.")
        return PushState.model_validate_json(answer.content)


def _reason(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"The gateway refused the push ({answer.status_code})."
