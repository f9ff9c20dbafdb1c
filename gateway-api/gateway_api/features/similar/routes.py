"""/api/tracks/{id}/similar, /api/tracks/{id}/recommendations and /api/search/semantic."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from dj_contracts.tracks import Text
from dj_servicekit.http import error_answers
from gateway_api.dependencies import Gateway, Owner, TrackIDPath
from gateway_api.features.embeddings.models import Kind
from gateway_api.features.similar import usecases
from gateway_api.features.similar.models import Recommendations, SemanticHits, SimilarTracks, Weights
from gateway_api.features.tracks.queries import FilteredQuery
from gateway_api.query_models import query_parameters, query_reader

router = APIRouter(prefix="/api", tags=["by sound and by meaning"])


class NearQuery(FilteredQuery):
    limit: int = Field(default=20, ge=1, le=100)


class SimilarQuery(NearQuery):
    kind: Kind = Field(default=Kind.AUDIO, description="By sound (audio), or by what is written (text).")


class SemanticQuery(NearQuery):
    q: Annotated[Text, Field(min_length=1, max_length=500)]


class RecommendationQuery(NearQuery):
    sound: float = Field(default=Weights().sound, ge=0, le=1, description="How much sound counts.")
    text: float = Field(default=Weights().text, ge=0, le=1, description="How much what is written counts.")
    tempo: float = Field(default=Weights().tempo, ge=0, le=1, description="How much tempo counts.")
    # Not "key": that is a filter.
    harmony: float = Field(default=Weights().key, ge=0, le=1, description="How much the key counts.")


@router.get(
    "/tracks/{track_id}/similar",
    responses=error_answers(404, 409, 422),
    openapi_extra=query_parameters(SimilarQuery),
)
async def list_similar(
    gateway: Gateway,
    owner: Owner,
    track_id: TrackIDPath,
    query: Annotated[SimilarQuery, Depends(query_reader(SimilarQuery))],
) -> SimilarTracks:
    """The tracks that sound most like this one and pass the filters."""
    return await usecases.list_similar(
        gateway.db, owner, track_id, query.kind, query.filters(), limit=query.limit
    )


@router.get(
    "/tracks/{track_id}/recommendations",
    responses=error_answers(404, 422),
    openapi_extra=query_parameters(RecommendationQuery),
)
async def recommend(
    gateway: Gateway,
    owner: Owner,
    track_id: TrackIDPath,
    query: Annotated[RecommendationQuery, Depends(query_reader(RecommendationQuery))],
) -> Recommendations:
    """What to play with this track: sound, text, tempo and key together, each with its weight."""
    weights = Weights(sound=query.sound, text=query.text, tempo=query.tempo, key=query.harmony)
    return await usecases.recommend(gateway.db, owner, track_id, query.filters(), weights, limit=query.limit)


@router.get("/search/semantic", responses=error_answers(422), openapi_extra=query_parameters(SemanticQuery))
async def search_by_meaning(
    gateway: Gateway, owner: Owner, query: Annotated[SemanticQuery, Depends(query_reader(SemanticQuery))]
) -> SemanticHits:
    """Tracks by what they are like: "warm deep house for sunrise". Below a floor of similarity the answer
    says that there is no match, rather than showing what is least far away."""
    return await usecases.search_by_meaning(
        gateway.db, gateway.embedder, owner, query.q, query.filters(), limit=query.limit
    )
