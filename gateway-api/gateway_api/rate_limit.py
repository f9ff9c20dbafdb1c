"""So many requests a second from one client, and no more: a bucket that fills at an even rate.

This machine's own programs are not counted, and neither are the internal endpoints, which need the
service token. The count is of one process: two gateways let twice as many through.
"""

import time
from collections import OrderedDict
from collections.abc import Callable

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from dj_contracts.errors import ErrorCode
from dj_servicekit.http import error_response
from gateway_api.settings import is_loopback

_BURST_SECONDS = 10
_MOST_CLIENTS = 10_000
_NOT_COUNTED = ("/internal/", "/health", "/ready", "/metrics")


class RateLimit:
    def __init__(self, app: ASGIApp, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.app = app
        self.per_second = per_second
        self.burst = max(1.0, per_second * _BURST_SECONDS)
        self._clock = clock
        # Client -> (tokens left, when that was), the one seen longest ago first.
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._is_counted(scope) and (wait := self.take(scope["client"][0])) > 0:
            response = error_response(
                Request(scope),
                429,
                ErrorCode.RATE_LIMITED,
                "Too many requests from this address. Wait a moment, or raise RATE_LIMIT_PER_SECOND.",
                {"Retry-After": str(max(1, round(wait)))},
            )
            await response(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def take(self, client: str) -> float:
        """Count a request; answers 0, or the seconds until the next one may come."""
        now = self._clock()
        tokens, then = self._buckets.pop(client, (self.burst, now))
        tokens = min(self.burst, tokens + (now - then) * self.per_second)
        taken = tokens >= 1
        self._buckets[client] = (tokens - taken, now)
        if len(self._buckets) > _MOST_CLIENTS:
            self._buckets.popitem(last=False)
        return 0.0 if taken else (1 - tokens) / self.per_second

    def _is_counted(self, scope: Scope) -> bool:
        return (
            scope["type"] == "http"
            and self.per_second > 0
            and scope.get("client") is not None
            and not is_loopback(scope["client"][0])
            and not scope["path"].startswith(_NOT_COUNTED)
        )
