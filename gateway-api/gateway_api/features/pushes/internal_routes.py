"""/internal/pushes: what the bridge says. Behind the service token, and not in the public document."""

from fastapi import APIRouter

from dj_contracts.pushes import PushRegistration, PushState
from dj_servicekit.errors import Malformed, NotFound
from gateway_api.dependencies import Gateway
from gateway_api.features.jobs.routes import JobID
from gateway_api.features.pushes import usecases

router = APIRouter(prefix="/internal/pushes", include_in_schema=False)


@router.post("")
async def register(gateway: Gateway, push: PushRegistration) -> PushState:
    """A push that names what is not there is refused for good: 404 would say that this path is missing."""
    try:
        return await usecases.register_push(push, gateway)
    except NotFound as exc:
        raise Malformed(exc.detail) from exc


@router.get("/{job_id}")
async def get_state(gateway: Gateway, job_id: JobID) -> PushState:
    return await usecases.get_push_state(job_id, gateway)
