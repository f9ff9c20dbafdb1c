"""/internal/workers: what a worker says of itself. Behind the service token, not in the public document."""

from fastapi import APIRouter

from dj_contracts.workers import WorkerReport
from gateway_api.dependencies import Gateway
from gateway_api.features.workers import usecases

router = APIRouter(prefix="/internal/workers", include_in_schema=False)


@router.post("", status_code=204)
async def take_report(gateway: Gateway, report: WorkerReport) -> None:
    await usecases.take_report(gateway.db, report)
