"""What is read at the moment of asking: jobs and their queue from Postgres, and the pool's own numbers."""

from prometheus_client import CollectorRegistry, Gauge

from dj_servicekit.errors import UpstreamUnavailable
from gateway_api.db import transaction
from gateway_api.features.embeddings.store import count_due_texts
from gateway_api.features.health import store
from gateway_api.features.indexing.store import measure_lag
from gateway_api.services import Services

_POOL = {
    "pool_size": "Connections to Postgres.",
    "pool_available": "Connections that nobody uses.",
    "requests_waiting": "Requests that wait for a connection.",
}


async def read_gauges(services: Services) -> CollectorRegistry:
    """A registry of this moment. While the database is away it says so, and the rest is left out."""
    registry = CollectorRegistry()
    stats = services.db.get_stats()
    for name, help_text in _POOL.items():
        Gauge(f"dj_database_{name}", help_text, registry=registry).set(stats.get(name, 0))
    up = Gauge("dj_database_up", "Whether Postgres answers.", registry=registry)
    try:
        async with transaction(services.db) as conn:
            counts = await store.count_jobs(conn)
            failures = await store.count_failures(conn)
            oldest = await store.oldest_waiting_seconds(conn)
            entries, lag = await measure_lag(conn)
            texts = await count_due_texts(conn)
    except UpstreamUnavailable:
        up.set(0)
        return registry
    up.set(1)
    jobs = Gauge("dj_jobs", "Jobs by kind and state.", ["kind", "state"], registry=registry)
    for kind, state, count in counts:
        jobs.labels(kind, state).set(count)
    failed = Gauge("dj_jobs_failed", "Failed jobs by reason.", ["kind", "code"], registry=registry)
    for kind, code, count in failures:
        failed.labels(kind, code).set(count)
    waiting = Gauge(
        "dj_jobs_oldest_waiting_seconds",
        "How long the job that is due longest has waited.",
        registry=registry,
    )
    waiting.set(oldest)
    Gauge("dj_search_outbox_entries", "Changes that the search index has not.", registry=registry).set(
        entries
    )
    Gauge("dj_search_outbox_lag_seconds", "The age of the oldest of them.", registry=registry).set(lag)
    Gauge("dj_text_embeddings_waiting", "Tracks whose text is to be embedded.", registry=registry).set(texts)
    return registry
