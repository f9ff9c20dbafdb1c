"""/api/search/embeddings."""

from fastapi import APIRouter

from gateway_api.dependencies import Gateway, Owner
from gateway_api.features.embeddings import usecases
from gateway_api.features.embeddings.models import EmbeddingStatus

router = APIRouter(prefix="/api/search", tags=["by sound and by meaning"])


@router.get("/embeddings")
async def get_embeddings(gateway: Gateway, owner: Owner) -> EmbeddingStatus:
    """How far the embedding of a collection's texts has come. It goes on by itself, in batches, and from
    where it was after a restart."""
    return await usecases.get_status(gateway.db, gateway.embedder, owner)
