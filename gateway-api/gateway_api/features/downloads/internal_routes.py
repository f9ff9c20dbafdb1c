"""/internal/fingerprints: what the worker asks before it attaches a file. Behind the service token."""

from fastapi import APIRouter

from dj_contracts.downloads import FingerprintAnswer, FingerprintQuestion
from gateway_api.dependencies import Gateway
from gateway_api.features.downloads import usecases

router = APIRouter(prefix="/internal/fingerprints", include_in_schema=False)


@router.post("/match")
async def match(gateway: Gateway, question: FingerprintQuestion) -> FingerprintAnswer:
    return await usecases.find_same_sound(gateway.db, question)
