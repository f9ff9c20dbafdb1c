"""The bucket of requests: a burst, an even rate, and each client for itself."""

from starlette.types import Receive, Scope, Send

from gateway_api.rate_limit import RateLimit


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that is never asked here."""


def test_a_burst_passes_then_an_even_rate() -> None:
    now = 0.0
    limit = RateLimit(nothing, per_second=2, clock=lambda: now)
    assert [limit.take("a") for _ in range(20)] == [0.0] * 20
    assert limit.take("a") == 0.5
    assert limit.take("b") == 0.0
    now = 1.0
    assert [limit.take("a") > 0 for _ in range(3)] == [False, False, True]


def test_the_memory_of_clients_has_an_end() -> None:
    limit = RateLimit(nothing, per_second=1, clock=lambda: 0.0)
    for number in range(10_100):
        limit.take(f"client {number}")
    assert len(limit._buckets) == 10_000
