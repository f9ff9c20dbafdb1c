"""Make, read, change and export playlists."""

from pathlib import Path

from dj_servicekit.errors import NotFound, ServiceError
from gateway_api.adapters.audio_folders import AudioFolders
from gateway_api.db import Connection, Pool, transaction
from gateway_api.features.playlists import store
from gateway_api.features.playlists.m3u8 import write_m3u8
from gateway_api.features.playlists.models import NewPlaylist, Playlist, PlaylistPatch, PlaylistTracks
from gateway_api.preconditions import require_match

_WHOLE = 10_000


async def list_playlists(db: Pool, username: str, *, limit: int, offset: int) -> list[Playlist]:
    async with transaction(db) as conn:
        return await store.list_playlists(conn, username, limit=limit, offset=offset)


async def create_playlist(db: Pool, username: str, new: NewPlaylist) -> Playlist:
    async with transaction(db) as conn:
        playlist_id = await store.insert_playlist(conn, username, new.name)
        await store.set_tracks(conn, username, playlist_id, new.track_ids)
        return await _get(conn, username, playlist_id)


async def get_playlist(db: Pool, username: str, playlist_id: int) -> Playlist:
    async with transaction(db) as conn:
        return await _get(conn, username, playlist_id)


async def list_playlist_tracks(
    db: Pool, username: str, playlist_id: int, *, limit: int, offset: int
) -> PlaylistTracks:
    async with transaction(db) as conn:
        rows, total = await store.list_playlist_tracks(
            conn, username, playlist_id, limit=limit, offset=offset
        )
        if not rows:
            total = len((await _get(conn, username, playlist_id)).tracks)
    return PlaylistTracks(tracks=[row.to_track() for row in rows], offset=offset, limit=limit, total=total)


async def edit_playlist(
    db: Pool, username: str, playlist_id: int, patch: PlaylistPatch, if_match: str | None = None
) -> Playlist:
    async with transaction(db) as conn:
        if (updated_at := await store.lock_playlist(conn, username, playlist_id)) is None:
            raise _not_found(playlist_id)
        require_match(if_match, updated_at)
        await store.rename_playlist(conn, username, playlist_id, patch.name)
        if patch.track_ids is not None:
            order = keep_trashed(patch.track_ids, await store.list_entries(conn, playlist_id))
            await store.set_tracks(conn, username, playlist_id, order)
        return await _get(conn, username, playlist_id)


async def delete_playlist(db: Pool, username: str, playlist_id: int, if_match: str | None = None) -> None:
    async with transaction(db) as conn:
        if (updated_at := await store.lock_playlist(conn, username, playlist_id)) is None:
            raise _not_found(playlist_id)
        require_match(if_match, updated_at)
        await store.delete_playlist(conn, username, playlist_id)


async def export_m3u8(db: Pool, username: str, playlist_id: int, audio: AudioFolders) -> tuple[str, str]:
    """(playlist name, M3U8 text)."""
    async with transaction(db) as conn:
        playlist = await _get(conn, username, playlist_id)
        rows, _ = await store.list_playlist_tracks(conn, username, playlist_id, limit=_WHOLE, offset=0)
    return playlist.name, write_m3u8(
        playlist.name, [(row, _find_file(row.audio_path, audio)) for row in rows]
    )


def keep_trashed(wanted: list[str], before: list[tuple[str, bool]]) -> list[str]:
    """The wanted order, and what is in the trash behind the track that it stood behind: the caller did
    not see it and cannot have meant to drop it."""
    following: dict[str | None, list[str]] = {}
    ahead: str | None = None
    asked = set(wanted)
    for track_id, trashed in before:
        if track_id in asked:
            ahead = track_id
        elif trashed:
            following.setdefault(ahead, []).append(track_id)
    return [one for place in (None, *wanted) for one in ([place] if place else []) + following.get(place, [])]


def _find_file(audio_path: str | None, audio: AudioFolders) -> Path | None:
    if audio_path is None:
        return None
    try:
        return audio.locate(audio_path)
    except ServiceError:
        return None


async def _get(conn: Connection, username: str, playlist_id: int) -> Playlist:
    if (playlist := await store.find_playlist(conn, username, playlist_id)) is None:
        raise _not_found(playlist_id)
    return playlist


def _not_found(playlist_id: int) -> NotFound:
    return NotFound(f"There is no playlist {playlist_id} in this collection.")
