"""/api/scan."""

from fastapi import APIRouter

from dj_contracts.jobs import Job
from dj_servicekit.http import error_answers
from gateway_api.dependencies import Gateway, Owner
from gateway_api.features.scan import usecases
from gateway_api.features.scan.models import ScanRequest

router = APIRouter(prefix="/api/scan", tags=["scan"])


@router.post("", status_code=202, responses=error_answers(403, 404, 422))
async def request_scan(gateway: Gateway, owner: Owner, request: ScanRequest) -> Job:
    """Import a folder in place. The answer is a job: its progress is at /api/jobs/{id}, and when it is
    completed its ``returnvalue`` says what was found, added, changed and passed over."""
    return await usecases.request_scan(owner, request.path, gateway)
