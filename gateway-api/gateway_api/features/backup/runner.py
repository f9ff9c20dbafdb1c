"""Makes the backups that are waited for, and asks for those of the schedule, beside the requests.

What is waited for stands in the folder, so a gateway that was killed takes it up again.
"""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from dj_servicekit.errors import Busy, ServiceError
from dj_servicekit.logs import log
from gateway_api.adapters.backup_folder import BackupFolder
from gateway_api.features.backup.usecases import prune_scheduled, request_backup, run_backup
from gateway_api.services import Services

_AFTER_A_FAILURE = timedelta(hours=1)
_IDLE_SECONDS = 0.5
# A start is a busy time, and a gateway that is tried for a minute needs no backup.
_FIRST_AFTER_SECONDS = 600


async def run_backups_for_ever(services: Services) -> None:
    started = time.monotonic()
    while True:
        try:
            if time.monotonic() - started >= _FIRST_AFTER_SECONDS:
                await ask_when_due(services)
            await run_waiting(services)
        except Busy:
            pass  # another process is at it
        except (ServiceError, OSError) as exc:
            log.warning("backup_postponed", reason=str(exc))
        await asyncio.sleep(_IDLE_SECONDS)


async def ask_when_due(services: Services) -> None:
    hours = services.settings.backup_every_hours
    if hours and is_due(services.backups, timedelta(hours=hours), datetime.now(UTC)):
        await request_backup(services, reason="schedule")


def is_due(folder: BackupFolder, interval: timedelta, now: datetime) -> bool:
    """Whether the newest backup that was made here is older than the interval, and none is on its way, or
    failed a moment ago."""
    for run in folder.list_runs():
        if run.state != "failed" or now - folder.noted_at(run.name) < _AFTER_A_FAILURE:
            return False
    made = [one.created_at for one in folder.list_finished() if one.reason in ("schedule", "hand")]
    return not made or now - made[0] >= interval


async def run_waiting(services: Services) -> None:
    folder = services.backups
    for run in folder.list_runs():
        if run.state == "failed":
            continue
        if folder.find(run.name) is None:
            try:
                await run_backup(services, run)
            except Busy:
                raise
            except (ServiceError, OSError) as exc:
                log.error("backup_failed", backup=run.name, reason=str(exc))
                folder.save_run(replace(run, state="failed", error=str(exc)))
                continue
        folder.forget_run(run.name)
        prune_scheduled(folder, services.settings.backup_keep)
