"""Workers report; people look."""

from dj_contracts.workers import WorkerReport
from gateway_api.db import Pool, transaction
from gateway_api.features.workers import store
from gateway_api.features.workers.models import SeenWorker, WorkerList

# They report every minute, also in the middle of a job.
_ALIVE_SECONDS = 180
_FORGET_SECONDS = 24 * 3600


async def take_report(db: Pool, report: WorkerReport) -> None:
    async with transaction(db) as conn:
        await store.save_report(conn, report, forget_after_seconds=_FORGET_SECONDS)


async def list_workers(db: Pool) -> WorkerList:
    async with transaction(db) as conn:
        found = await store.list_reports(conn, seen_within_seconds=_ALIVE_SECONDS)
    workers = [
        SeenWorker(**report.model_dump(), seen_at=seen_at, alive=recent) for report, seen_at, recent in found
    ]
    said = (tool.advice for worker in workers if worker.alive for tool in worker.tools if tool.advice)
    advice = list(dict.fromkeys(said))
    if not any(worker.alive for worker in workers):
        advice.insert(0, "No worker is running, so jobs wait. Start one.")
    return WorkerList(workers=workers, advice=advice)
