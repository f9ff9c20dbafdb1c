"""What Prometheus can read: how analyses end, how long they take, and how full the house is."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi.exceptions import RequestValidationError
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from starlette.requests import ClientDisconnect

from dj_contracts.errors import ErrorCode
from dj_servicekit.errors import ServiceError
from essentia_api.pool import AnalysisPool

_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640)
_DONE = "done"


class AnalysisMetrics:
    """One registry an application, so that two in one process do not add up."""

    def __init__(self, pool: AnalysisPool) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "dj_analysis_requests",
            "Requests for an analysis, by outcome: done, or the code of the error.",
            ["outcome"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "dj_analysis_seconds",
            "Time from the request to the answer, waiting and fetching included.",
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.audio_seconds = Counter(
            "dj_analysis_audio_seconds", "Length of all audio that was measured.", registry=self.registry
        )
        taken = Gauge(
            "dj_analysis_places_taken", "Requests that are measured or wait.", registry=self.registry
        )
        taken.set_function(lambda: pool.taken)
        capacity = Gauge("dj_analysis_places", "Requests that there is room for.", registry=self.registry)
        capacity.set_function(lambda: pool.capacity)
        self._requests.labels(_DONE)  # a counter that stands at 0 is better than one that is not there

    @contextmanager
    def counted(self) -> Iterator[None]:
        started = time.perf_counter()
        outcome: str = ErrorCode.INTERNAL
        try:
            yield
            outcome = _DONE
        except ServiceError as exc:
            outcome = exc.code
            raise
        except ClientDisconnect:
            outcome = ErrorCode.CANCELLED
            raise
        except RequestValidationError:
            outcome = ErrorCode.MALFORMED
            raise
        finally:
            self._requests.labels(outcome).inc()
            self._seconds.observe(time.perf_counter() - started)
