"""/api/search, and /api/tracks/search under its older name."""

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import Field

from dj_contracts.tracks import SearchHits, Username
from dj_servicekit.http import error_answers
from gateway_api.dependencies import Gateway, Owner
from gateway_api.features.search import usecases
from gateway_api.features.tracks.filters import TrackFilter
from gateway_api.query_models import query_parameters, query_reader
from gateway_api.search_port import Facet, Sort

router = APIRouter(tags=["search"])


class SearchQuery(TrackFilter):
    q: str = Field(
        default="",
        max_length=500,
        description="Words of title, artist, album or genre, and shortcuts: bpm:120-126 key:8A~ year:1990s "
        'genre:"drum & bass" rating:4+ has:audio added:30d.',
        examples=["bpm:120-126 key:8A~ house"],
    )
    filter: str = Field(
        default="",
        max_length=2000,
        description='The filter text of older callers: bpm 120 TO 126 AND key = "A minor".',
    )
    sort: Sort = Sort.RELEVANCE
    order: Literal["asc", "desc"] = "asc"
    facet: list[Facet] = Field(default=[], max_length=len(Facet), description="Count the hits by these.")
    highlight: bool = Field(default=False, description="Mark what matched, in _formatted.")
    limit: int = Field(default=20, ge=0, le=500)
    offset: int = Field(default=0, ge=0, le=1_000_000)
    username: Username | None = None


_PARAMETERS = query_parameters(SearchQuery)


@router.get("/api/search", responses=error_answers(422), openapi_extra=_PARAMETERS)
@router.get("/api/tracks/search", responses=error_answers(422), openapi_extra=_PARAMETERS)
async def search_tracks(
    gateway: Gateway, owner: Owner, query: Annotated[SearchQuery, Depends(query_reader(SearchQuery))]
) -> SearchHits:
    """Find tracks by words in any order, with typos forgiven, and filters."""
    question = usecases.read_question(
        query.q.replace("\x00", ""), query.filter.replace("\x00", ""), filters=query, username=owner
    )
    question = replace(
        question,
        sort=query.sort,
        descending=query.order == "desc",
        limit=query.limit,
        offset=query.offset,
        facets=tuple(dict.fromkeys(query.facet)),
        highlight=query.highlight,
    )
    return await usecases.search_tracks(gateway, question, asked=query.q)
