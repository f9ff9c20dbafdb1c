"""/api/review: finds that are not surely the track that was looked for."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from dj_contracts.jobs import Job
from dj_contracts.tracks import TrackID
from dj_servicekit.http import error_answers
from gateway_api.dependencies import Gateway, Limit, Owner
from gateway_api.features.review import usecases
from gateway_api.features.review.models import ReviewCandidate, ReviewPage, ReviewState

router = APIRouter(prefix="/api/review", tags=["review"])

CandidateID = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.get("", responses=error_answers(422))
async def list_review(
    gateway: Gateway,
    owner: Owner,
    state: ReviewState = ReviewState.WAITING,
    track_id: TrackID | None = None,
    limit: Limit = 50,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> ReviewPage:
    """What searches found and nobody is sure of, with scores and what speaks against each."""
    return await usecases.list_candidates(
        gateway.db, owner, state=state, track_id=track_id, limit=limit, offset=offset
    )


@router.post("/{candidate_id}/accept", status_code=202, responses=error_answers(404, 409, 422))
async def accept_candidate(
    gateway: Gateway,
    owner: Owner,
    candidate_id: CandidateID,
    allow_duplicate: Annotated[bool, Query(description="Although another track sounds the same.")] = False,
) -> Job:
    """Get the audio from this one. It is verified like any other before it is attached."""
    return await usecases.accept(owner, candidate_id, allow_duplicate=allow_duplicate, services=gateway)


@router.post("/{candidate_id}/reject", responses=error_answers(404, 409, 422))
async def reject_candidate(gateway: Gateway, owner: Owner, candidate_id: CandidateID) -> ReviewCandidate:
    """Never offer this one for this track again."""
    return await usecases.reject(gateway.db, owner, candidate_id)
