"""Runs queued scans one after the other, beside the requests.

A scan reads tags and writes rows, and only the gateway writes rows: so it runs here, in threads
off the event loop. One that was under way when the gateway was killed is queued again by the sweep.
"""

import asyncio

from structlog.contextvars import bound_contextvars

from dj_servicekit.errors import UpstreamUnavailable
from dj_servicekit.logs import log
from gateway_api.db import transaction
from gateway_api.features.jobs import store as jobs_store
from gateway_api.features.scan.usecases import run_scan
from gateway_api.services import Services

_IDLE_SECONDS = 0.5


async def run_scans_for_ever(services: Services) -> None:
    while True:
        try:
            async with transaction(services.db) as conn:
                job = await jobs_store.claim_scan(conn)
            if job is None:
                await asyncio.sleep(_IDLE_SECONDS)
            else:
                with bound_contextvars(request_id=job.request_id):
                    await run_scan(job, services)
        except UpstreamUnavailable as exc:
            log.warning("scan_postponed", reason=exc.detail)
            await asyncio.sleep(_IDLE_SECONDS)
