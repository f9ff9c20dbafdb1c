"""ga-service over HTTP."""

import json
from typing import Any

import httpx
from pydantic import ValidationError

from dj_contracts.sets import OrderResult, SetMode
from dj_servicekit.errors import Malformed, UpstreamFailed, UpstreamTimeout, UpstreamUnavailable
from dj_servicekit.http import REQUEST_ID_HEADER

_TIMEOUT_SECONDS = 120


class GAClient:
    def __init__(self, base_url: str) -> None:
        self._http = httpx.AsyncClient(base_url=base_url, timeout=httpx.Timeout(_TIMEOUT_SECONDS, connect=5))

    async def order(
        self, tracks: list[dict[str, Any]], *, mode: SetMode, seed: int, request_id: str
    ) -> OrderResult:
        try:
            request = {"tracks": tracks, "mode": mode, "seed": seed}
            body = json.dumps(request, allow_nan=False, ensure_ascii=False).encode()
        except ValueError as exc:
            raise Malformed("A track holds a number or a text that cannot be sent on.") from exc
        try:
            answer = await self._http.post(
                "/generate",
                content=body,
                headers={REQUEST_ID_HEADER: request_id, "Content-Type": "application/json"},
            )
        except httpx.TimeoutException as exc:
            raise UpstreamTimeout("The set builder took too long. Try with fewer tracks.") from exc
        except httpx.TransportError as exc:
            raise UpstreamUnavailable(
                "The set builder does not answer. Try again in a moment.", headers={"Retry-After": "5"}
            ) from exc
        if answer.status_code == 422:
            raise Malformed(_detail(answer))
        if answer.status_code == 503:
            raise UpstreamUnavailable(_detail(answer), headers={"Retry-After": "5"})
        try:
            answer.raise_for_status()
            return OrderResult.model_validate_json(answer.content)
        except (httpx.HTTPStatusError, ValidationError) as exc:
            raise UpstreamFailed("The set builder failed. Its log has the reason.") from exc

    async def ready(self) -> bool:
        try:
            return (await self._http.get("/health", timeout=2)).is_success
        except httpx.HTTPError:
            return False

    async def close(self) -> None:
        await self._http.aclose()


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return "The set builder refused the request."
