"""/internal/pushes: what the bridge says. Behind the service token, and not in the public document."""

from fastapi import APIRouter

from dj_contracts.pushes import PushRegistration, PushState
from gateway_api.dependencies import Gateway
from gateway_api.features.jobs.routes import JobID
from gateway_api.features.pushes import usecases

router = APIRouter(prefix="/internal/pushes", include_in_schema=False)


@router.post("")
async def register(gateway: Gateway, push: PushRegistration) -> PushState:
    return await usecases.register_push(push, gateway)


@router.get("/{job_id}")
async def get_state(gateway: Gateway, job_id: JobID) -> PushState:
    return await usecases.get_push_state(job_id, gateway)
