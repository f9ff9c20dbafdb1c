"""Repairs, every few seconds, what falls between Postgres and the queue.

A gateway killed between commit and enqueue, a worker killed in mid-job, a Redis that came back
empty: each leaves rows that this finds and sets going again.
"""

import asyncio

from dj_servicekit.errors import UpstreamUnavailable
from dj_servicekit.logs import log
from gateway_api.adapters.job_queue import QueueAway
from gateway_api.db import transaction
from gateway_api.features.queue import store
from gateway_api.features.queue.usecases import hand_over_due
from gateway_api.services import Services


async def sweep_for_ever(services: Services) -> None:
    """A gateway that was away, or without its database, has heard no sign of life, and that is no fault
    of the workers: they are given their whole lease again."""
    deaf = True
    while True:
        try:
            if deaf:
                async with transaction(services.db) as conn:
                    await store.renew_leases(conn)
                deaf = False
            await sweep(services)
        except UpstreamUnavailable as exc:
            deaf = True
            log.warning("sweep_postponed", reason=str(exc))
        except QueueAway as exc:
            log.warning("sweep_postponed", reason=str(exc))
        await asyncio.sleep(services.settings.sweep_seconds)


async def sweep(services: Services) -> None:
    settings = services.settings
    async with transaction(services.db) as conn:
        lost = await store.release_lost_jobs(conn, settings.job_lease_seconds, settings.job_max_attempts)
    for row in lost:
        log.warning("job_lost_its_worker", job_id=row.id, attempts=row.attempts, state=row.state)
    await services.events.publish(*(row.to_event() for row in lost))
    if await services.queue.was_emptied():
        async with transaction(services.db) as conn:
            await store.forget_enqueued(conn)
    if begun := await services.queue.list_begun():
        async with transaction(services.db) as conn:
            await store.forget_begun(conn, begun, unclaimed_after_seconds=settings.job_lease_seconds)
    await hand_over_due(db=services.db, queue=services.queue)
