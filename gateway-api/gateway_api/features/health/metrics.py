"""Requests as they are counted: a middleware that knows the template of the route, never the path itself."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)


class RequestMetrics:
    """One registry an application, so that two in one process do not add up."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        labels = ["method", "route"]
        self.requests = Counter(
            "dj_http_requests", "Requests answered.", [*labels, "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "dj_http_request_seconds",
            "Time until an answer began.",
            labels,
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.sent = Counter(
            "dj_http_sent_bytes", "Bytes of answers, streams included.", labels, registry=self.registry
        )
        self.open = Gauge("dj_http_requests_open", "Requests under way.", registry=self.registry)


class CountRequests:
    def __init__(self, app: ASGIApp, metrics: RequestMetrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500  # what a bug becomes further out
        seconds: float | None = None
        sent = 0

        async def send_counted(message: Message) -> None:
            nonlocal status, seconds, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                seconds = time.perf_counter() - started
            else:
                sent += len(message.get("body", b""))
            await send(message)

        metrics = self.metrics
        with metrics.open.track_inprogress():
            try:
                await self.app(scope, receive, send_counted)
            finally:
                # A path that no route has is one label, whoever scans for whatever.
                route = getattr(scope.get("route"), "path", "none")
                labels = (scope["method"] if route != "none" else "any", route)
                metrics.requests.labels(*labels, str(status)).inc()
                metrics.seconds.labels(*labels).observe(
                    time.perf_counter() - started if seconds is None else seconds
                )
                metrics.sent.labels(*labels).inc(sent)
