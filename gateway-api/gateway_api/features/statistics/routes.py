"""/api/statistics."""

from typing import Annotated

from fastapi import APIRouter, Query

from dj_servicekit.http import error_answers
from gateway_api.dependencies import Gateway, Owner
from gateway_api.features.statistics import usecases
from gateway_api.features.statistics.models import Statistics
from gateway_api.features.tracks.queries import FilteredQuery

router = APIRouter(prefix="/api/statistics", tags=["statistics"])


@router.get("", responses=error_answers(422))
async def read_statistics(
    gateway: Gateway, owner: Owner, query: Annotated[FilteredQuery, Query()]
) -> Statistics:
    """The collection in numbers: tempi, the key wheel, decades, labels, energy and more. With filters, the
    part that passes them."""
    return await usecases.read_statistics(gateway.db, owner, query.filters())
