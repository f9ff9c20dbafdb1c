"""/api/smart-playlists."""

from fastapi import APIRouter, Response

from dj_servicekit.http import error_answers
from gateway_api.dependencies import Gateway, Limit, Offset, Owner, RowID
from gateway_api.features.playlists.models import Playlist
from gateway_api.features.smart_playlists import usecases
from gateway_api.features.smart_playlists.models import (
    NewSmartPlaylist,
    SmartPlaylist,
    SmartPlaylistPatch,
    SmartPlaylistTracks,
)
from gateway_api.preconditions import IfMatch, etag_of

router = APIRouter(prefix="/api/smart-playlists", tags=["smart playlists"])


@router.get("", responses=error_answers(422))
async def list_smart_playlists(
    gateway: Gateway, owner: Owner, limit: Limit = 100, offset: Offset = 0
) -> list[SmartPlaylist]:
    return await usecases.list_smart_playlists(gateway.db, owner, limit=limit, offset=offset)


@router.post("", status_code=201, responses=error_answers(404, 422))
async def create_smart_playlist(gateway: Gateway, owner: Owner, playlist: NewSmartPlaylist) -> SmartPlaylist:
    """Save a filter and an order. Its tracks are looked up each time."""
    return await usecases.create_smart_playlist(gateway.db, owner, playlist)


@router.get("/{playlist_id}", responses=error_answers(404, 422))
async def get_smart_playlist(
    gateway: Gateway, owner: Owner, playlist_id: RowID, response: Response
) -> SmartPlaylist:
    playlist = await usecases.get_smart_playlist(gateway.db, owner, playlist_id)
    response.headers["ETag"] = etag_of(playlist.updated_at)
    return playlist


@router.get("/{playlist_id}/tracks", responses=error_answers(404, 422))
async def list_smart_playlist_tracks(
    gateway: Gateway, owner: Owner, playlist_id: RowID, limit: Limit = 100, offset: Offset = 0
) -> SmartPlaylistTracks:
    return await usecases.list_tracks(gateway.db, owner, playlist_id, limit=limit, offset=offset)


@router.post("/{playlist_id}/playlist", status_code=201, responses=error_answers(404, 409, 422))
async def write_down(gateway: Gateway, owner: Owner, playlist_id: RowID) -> Playlist:
    """Make a playlist of what the filter finds now, to reorder and to export."""
    return await usecases.write_down(gateway.db, owner, playlist_id)


@router.patch("/{playlist_id}", responses=error_answers(404, 412, 422))
async def edit_smart_playlist(
    gateway: Gateway,
    owner: Owner,
    playlist_id: RowID,
    patch: SmartPlaylistPatch,
    response: Response,
    if_match: IfMatch = None,
) -> SmartPlaylist:
    playlist = await usecases.edit_smart_playlist(gateway.db, owner, playlist_id, patch, if_match)
    response.headers["ETag"] = etag_of(playlist.updated_at)
    return playlist


@router.delete("/{playlist_id}", status_code=204, responses=error_answers(404, 412, 422))
async def delete_smart_playlist(
    gateway: Gateway, owner: Owner, playlist_id: RowID, if_match: IfMatch = None
) -> None:
    await usecases.delete_smart_playlist(gateway.db, owner, playlist_id, if_match)
