"""/api/pushes/dead: raw pushes that nobody could make anything of."""

from datetime import UTC, datetime

from fastapi import APIRouter
from pydantic import BaseModel

from dj_servicekit.http import error_answers
from gateway_api.dependencies import Gateway

router = APIRouter(prefix="/api/pushes/dead", tags=["pushes"])


class DeadPush(BaseModel):
    """A push as it came, and why it could not be used."""

    list_name: str
    raw: str
    error: str
    at: datetime


class DeadPushList(BaseModel):
    results: list[DeadPush]


class Requeued(BaseModel):
    requeued: int


@router.get("", responses=error_answers(503))
async def list_dead_pushes(gateway: Gateway) -> DeadPushList:
    dead = await gateway.dead_pushes.list_all()
    return DeadPushList(
        results=[
            DeadPush(
                list_name=push.list_name,
                raw=push.raw,
                error=push.error,
                at=datetime.fromtimestamp(push.at, UTC),
            )
            for push in dead
        ]
    )


@router.post("/requeue", responses=error_answers(503))
async def requeue_dead_pushes(gateway: Gateway) -> Requeued:
    """Push all of them again, as after making the collection that they name."""
    return Requeued(requeued=await gateway.dead_pushes.requeue())
