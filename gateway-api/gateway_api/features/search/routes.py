"""/api/tracks/search."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from dj_contracts.tracks import SearchHits
from dj_servicekit.http import error_answers
from gateway_api.dependencies import Gateway, Owner
from gateway_api.features.search import usecases
from gateway_api.features.tracks.filters import TrackFilter

router = APIRouter(prefix="/api/tracks", tags=["search"])


class SearchQuery(TrackFilter):
    q: str = Field(default="", max_length=500, description="Words of title, artist or album.")
    limit: int = Field(default=20, ge=1, le=500)
    offset: int = Field(default=0, ge=0, le=1_000_000)
    username: str | None = None


@router.get("/search", responses=error_answers(422))
async def search_tracks(gateway: Gateway, owner: Owner, query: Annotated[SearchQuery, Query()]) -> SearchHits:
    """Find tracks by words in any order, with typos forgiven, and filters."""
    filters = TrackFilter.model_validate(query.model_dump(include=set(TrackFilter.model_fields)))
    return await usecases.search_tracks(
        gateway.db,
        owner,
        query.q.replace("\x00", ""),
        filters=filters,
        limit=query.limit,
        offset=query.offset,
    )
