"""Takes each re-analysis a step further, every second or so, beside the requests."""

import asyncio

from dj_servicekit.errors import UpstreamUnavailable
from dj_servicekit.logs import log
from gateway_api.features.reanalysis.usecases import advance_all
from gateway_api.services import Services


async def run_reanalyses_for_ever(services: Services) -> None:
    while True:
        try:
            await advance_all(services)
        except UpstreamUnavailable as exc:
            log.warning("reanalysis_postponed", reason=exc.detail)
        await asyncio.sleep(services.settings.sweep_seconds)
