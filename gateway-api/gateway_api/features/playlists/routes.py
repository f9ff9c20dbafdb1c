"""/api/playlists."""

from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Response

from dj_servicekit.http import error_answers
from gateway_api.dependencies import Gateway, Limit, Offset, Owner, RowID
from gateway_api.features.playlists import usecases
from gateway_api.features.playlists.m3u8 import MEDIA_TYPE
from gateway_api.features.playlists.models import NewPlaylist, Playlist, PlaylistPatch, PlaylistTracks
from gateway_api.preconditions import IfMatch, etag_of

router = APIRouter(prefix="/api/playlists", tags=["playlists"])


@router.get("", responses=error_answers(422))
async def list_playlists(
    gateway: Gateway, owner: Owner, limit: Limit = 100, offset: Offset = 0
) -> list[Playlist]:
    return await usecases.list_playlists(gateway.db, owner, limit=limit, offset=offset)


@router.post("", status_code=201, responses=error_answers(404, 409, 422))
async def create_playlist(gateway: Gateway, owner: Owner, playlist: NewPlaylist) -> Playlist:
    return await usecases.create_playlist(gateway.db, owner, playlist)


@router.get("/{playlist_id}", responses=error_answers(404, 422))
async def get_playlist(gateway: Gateway, owner: Owner, playlist_id: RowID, response: Response) -> Playlist:
    playlist = await usecases.get_playlist(gateway.db, owner, playlist_id)
    response.headers["ETag"] = etag_of(playlist.updated_at)
    return playlist


@router.get("/{playlist_id}/tracks", responses=error_answers(404, 422))
async def list_playlist_tracks(
    gateway: Gateway, owner: Owner, playlist_id: RowID, limit: Limit = 100, offset: Offset = 0
) -> PlaylistTracks:
    return await usecases.list_playlist_tracks(gateway.db, owner, playlist_id, limit=limit, offset=offset)


@router.patch("/{playlist_id}", responses=error_answers(404, 409, 412, 422))
async def edit_playlist(
    gateway: Gateway,
    owner: Owner,
    playlist_id: RowID,
    patch: PlaylistPatch,
    response: Response,
    if_match: IfMatch = None,
) -> Playlist:
    playlist = await usecases.edit_playlist(gateway.db, owner, playlist_id, patch, if_match)
    response.headers["ETag"] = etag_of(playlist.updated_at)
    return playlist


@router.delete("/{playlist_id}", status_code=204, responses=error_answers(404, 412, 422))
async def delete_playlist(
    gateway: Gateway, owner: Owner, playlist_id: RowID, if_match: IfMatch = None
) -> None:
    await usecases.delete_playlist(gateway.db, owner, playlist_id, if_match)


@router.get(
    "/{playlist_id}/export",
    response_class=Response,
    responses={200: {"content": {"audio/x-mpegurl": {}}}, **error_answers(404, 422)},
)
async def export_playlist(
    gateway: Gateway,
    owner: Owner,
    playlist_id: RowID,
    format: Annotated[Literal["m3u8"], Query(description="The kind of file.")] = "m3u8",  # noqa: A002, ARG001
) -> Response:
    """The playlist as a file for DJ software. Tracks without audio are named in comments."""
    name, text = await usecases.export_m3u8(gateway.db, owner, playlist_id, gateway.audio)
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}.m3u8"
    return Response(text.encode(), media_type=MEDIA_TYPE, headers={"Content-Disposition": disposition})
