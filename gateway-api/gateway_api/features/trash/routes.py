"""/api/trash."""

from fastapi import APIRouter

from dj_servicekit.http import error_answers
from gateway_api.dependencies import Gateway, Limit, Offset, Owner, TrackIDPath
from gateway_api.features.trash import usecases
from gateway_api.features.trash.models import Deleted, PutAway, Restored, SomeTracks, Trash

router = APIRouter(prefix="/api/trash", tags=["trash"])


@router.get("", responses=error_answers(422))
async def list_trash(gateway: Gateway, owner: Owner, limit: Limit = 100, offset: Offset = 0) -> Trash:
    return await usecases.list_trash(gateway.db, owner, limit=limit, offset=offset)


@router.post("", responses=error_answers(404, 422))
async def put_away(gateway: Gateway, owner: Owner, tracks: SomeTracks) -> PutAway:
    """Put many tracks away at once. Their rows and files stay until the trash is emptied."""
    return await usecases.put_away(gateway.db, owner, tracks.track_ids)


@router.post("/restore", responses=error_answers(404, 422))
async def restore(gateway: Gateway, owner: Owner, tracks: SomeTracks) -> Restored:
    """Bring tracks back, into the playlists that they were in too."""
    return await usecases.restore(gateway, owner, tracks.track_ids)


@router.delete("", responses=error_answers(422))
async def empty(gateway: Gateway, owner: Owner) -> Deleted:
    """Delete everything in the trash for ever. Files stay where they are: a scan finds them as new."""
    return await usecases.empty(gateway.db, owner)


@router.delete("/{track_id}", status_code=204, responses=error_answers(404, 422))
async def delete_for_ever(gateway: Gateway, owner: Owner, track_id: TrackIDPath) -> None:
    """Delete one track of the trash for ever. Its file stays where it is."""
    await usecases.delete_for_ever(gateway.db, owner, track_id)
