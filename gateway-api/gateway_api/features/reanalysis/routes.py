"""/api/jobs/reanalyze."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from dj_contracts.jobs import Job
from dj_servicekit.http import error_answers
from gateway_api.dependencies import Gateway, Owner
from gateway_api.features.reanalysis import usecases

router = APIRouter(prefix="/api/jobs/reanalyze", tags=["jobs"])


class ReanalysisRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"only_missing": True}]})

    only_missing: bool = False
    outdated: bool = False


@router.post("", status_code=202, responses=error_answers(404, 422))
async def request_reanalysis(gateway: Gateway, owner: Owner, request: ReanalysisRequest) -> Job:
    """Measure every file of the collection again, behind all that a person waits for. Corrections stay.
    The answer is one job: cancelling it ends what is left, trying it again goes on. ``only_missing``
    leaves out what was measured before; ``outdated`` takes what is missing and what was measured last by
    another version of the engine than the latest that measured anything here. An open one is answered
    instead of a second one."""
    return await usecases.request_reanalysis(
        owner, gateway, only_missing=request.only_missing, outdated=request.outdated
    )
