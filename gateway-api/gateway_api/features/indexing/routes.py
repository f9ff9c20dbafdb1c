"""/api/search/index."""

from fastapi import APIRouter

from dj_servicekit.http import error_answers
from gateway_api.dependencies import Gateway
from gateway_api.features.indexing import usecases
from gateway_api.features.indexing.models import IndexStatus

router = APIRouter(prefix="/api/search", tags=["search"])


@router.get("/index")
async def get_index(gateway: Gateway) -> IndexStatus:
    """Which engine answers, and how far it is behind the collection."""
    return await usecases.get_status(gateway)


@router.post("/index/rebuild", status_code=202, responses=error_answers(409))
async def rebuild_index(gateway: Gateway) -> IndexStatus:
    """Build the search index anew from Postgres. Search goes on meanwhile."""
    return await usecases.request_rebuild(gateway)
