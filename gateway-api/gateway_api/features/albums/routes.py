"""/api/albums."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import AfterValidator

from dj_contracts.tracks import ShortText
from dj_servicekit.errors import Malformed
from dj_servicekit.http import error_answers
from gateway_api.dependencies import Gateway, Limit, Offset, Owner
from gateway_api.features.albums import usecases
from gateway_api.features.albums.models import Album, AlbumFields, Albums, AlbumWithTracks
from gateway_api.preconditions import IfMatch, etag_of

router = APIRouter(prefix="/api/albums", tags=["albums"])


def _storable(release_id: str) -> str:
    if not release_id.isprintable():
        raise Malformed("A release id is printable text.")
    return release_id


ReleaseID = Annotated[str, Path(min_length=1, max_length=300, examples=["12345"]), AfterValidator(_storable)]


@router.get("", responses=error_answers(422))
async def list_albums(
    gateway: Gateway,
    owner: Owner,
    q: Annotated[ShortText, Query(description="Words of title or artist.")] = "",
    label: Annotated[ShortText, Query(description="A label, whole.")] = "",
    limit: Limit = 50,
    offset: Offset = 0,
) -> Albums:
    return await usecases.list_albums(gateway.db, owner, q=q, label=label, limit=limit, offset=offset)


@router.get("/{release_id}", responses=error_answers(404, 422))
async def get_album(
    gateway: Gateway, owner: Owner, release_id: ReleaseID, response: Response
) -> AlbumWithTracks:
    album = await usecases.get_album(gateway.db, owner, release_id)
    response.headers["ETag"] = etag_of(album.updated_at)
    return album


@router.put("/{release_id}", responses=error_answers(404, 412, 422))
async def save_album(
    gateway: Gateway,
    owner: Owner,
    release_id: ReleaseID,
    album: AlbumFields,
    response: Response,
    if_match: IfMatch = None,
) -> Album:
    """Set fields of an album; one that is not there is made. Tracks join it by their release_id."""
    saved = await usecases.save_album(gateway.db, owner, release_id, album, if_match)
    response.headers["ETag"] = etag_of(saved.updated_at)
    return saved


@router.delete("/{release_id}", status_code=204, responses=error_answers(404, 409, 422))
async def delete_album(gateway: Gateway, owner: Owner, release_id: ReleaseID) -> None:
    """Delete an album that has no tracks."""
    await usecases.delete_album(gateway.db, owner, release_id)
