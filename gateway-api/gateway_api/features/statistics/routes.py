"""/api/statistics."""

from typing import Annotated

from fastapi import APIRouter, Depends

from dj_servicekit.http import error_answers
from gateway_api.dependencies import Gateway, Owner
from gateway_api.features.statistics import usecases
from gateway_api.features.statistics.models import Statistics
from gateway_api.features.tracks.queries import FilteredQuery
from gateway_api.query_models import query_parameters, query_reader

router = APIRouter(prefix="/api/statistics", tags=["statistics"])


@router.get("", responses=error_answers(422), openapi_extra=query_parameters(FilteredQuery))
async def read_statistics(
    gateway: Gateway, owner: Owner, query: Annotated[FilteredQuery, Depends(query_reader(FilteredQuery))]
) -> Statistics:
    """The collection in numbers: tempi, the key wheel, decades, labels, energy and more. With filters, the
    part that passes them."""
    return await usecases.read_statistics(gateway.db, owner, query.filters())
