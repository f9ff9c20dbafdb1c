"""Makes, changes and reads smart playlists, and writes one down as a playlist."""

from dj_servicekit.errors import Malformed, NotFound
from gateway_api.db import Connection, Pool, transaction
from gateway_api.features.playlists import store as playlists_store
from gateway_api.features.playlists.models import Playlist
from gateway_api.features.smart_playlists import store
from gateway_api.features.smart_playlists.models import (
    NewSmartPlaylist,
    Order,
    SmartPlaylist,
    SmartPlaylistPatch,
    SmartPlaylistRow,
    SmartPlaylistTracks,
)
from gateway_api.features.tracks.filters import TrackFilter
from gateway_api.features.tracks.models import TrackRow
from gateway_api.preconditions import require_match

_LONGEST = 10_000


async def list_smart_playlists(db: Pool, username: str, *, limit: int, offset: int) -> list[SmartPlaylist]:
    async with transaction(db) as conn:
        rows = await store.list_smart_playlists(conn, username, limit=limit, offset=offset)
    return [_shown(row) for row in rows]


async def create_smart_playlist(db: Pool, username: str, new: NewSmartPlaylist) -> SmartPlaylist:
    fields = new.model_dump(mode="json") | {"filter": _written(new.filter)}
    async with transaction(db) as conn:
        return _shown(await store.insert_smart_playlist(conn, username, fields))


async def get_smart_playlist(db: Pool, username: str, playlist_id: int) -> SmartPlaylist:
    async with transaction(db) as conn:
        return _shown(await _get(conn, username, playlist_id))


async def edit_smart_playlist(
    db: Pool, username: str, playlist_id: int, patch: SmartPlaylistPatch, if_match: str | None = None
) -> SmartPlaylist:
    fields = patch.model_dump(mode="json", exclude_unset=True)
    if empty := [name for name, value in fields.items() if value is None and name != "most"]:
        raise Malformed(f"{empty[0]} cannot be null: leave it out to keep it.")
    if patch.filter is not None:
        fields["filter"] = _written(patch.filter)
    async with transaction(db) as conn:
        if if_match is not None:
            require_match(if_match, (await _get(conn, username, playlist_id, lock=True)).updated_at)
        if (row := await store.update_smart_playlist(conn, username, playlist_id, fields)) is None:
            raise _not_found(playlist_id)
    return _shown(row)


async def delete_smart_playlist(
    db: Pool, username: str, playlist_id: int, if_match: str | None = None
) -> None:
    async with transaction(db) as conn:
        require_match(if_match, (await _get(conn, username, playlist_id, lock=True)).updated_at)
        await store.delete_smart_playlist(conn, username, playlist_id)


async def list_tracks(
    db: Pool, username: str, playlist_id: int, *, limit: int, offset: int
) -> SmartPlaylistTracks:
    async with transaction(db) as conn:
        row = await _get(conn, username, playlist_id)
        tracks = await _find(conn, row, limit=limit, offset=offset)
        found = await store.count_found(conn, username, _filter(row))
    return SmartPlaylistTracks(
        tracks=[track.to_track() for track in tracks],
        offset=offset,
        limit=limit,
        total=min(found, row.most or found),
    )


async def write_down(db: Pool, username: str, playlist_id: int) -> Playlist:
    """A playlist of the tracks as they are found now, to reorder and to export."""
    async with transaction(db) as conn:
        row = await _get(conn, username, playlist_id)
        tracks = await _find(conn, row, limit=_LONGEST, offset=0)
        # A filter may reach into friends' collections; a playlist holds one collection's tracks.
        own = [track.track_id for track in tracks if track.username == username]
        new_id = await playlists_store.insert_playlist(conn, username, row.name)
        await playlists_store.set_tracks(conn, username, new_id, own)
        playlist = await playlists_store.find_playlist(conn, username, new_id)
    assert playlist is not None  # noqa: S101 - made in this transaction
    return playlist


async def _find(conn: Connection, row: SmartPlaylistRow, *, limit: int, offset: int) -> list[TrackRow]:
    return await store.list_found(
        conn,
        row.username,
        _filter(row),
        order=Order(row.sort),
        descending=row.descending,
        limit=limit if row.most is None else max(0, min(limit, row.most - offset)),
        offset=offset,
    )


def _written(filters: TrackFilter) -> dict[str, object]:
    """What was asked for alone: a filter that is added later has no say in those saved before it."""
    return filters.model_dump(mode="json", exclude_defaults=True)


def _filter(row: SmartPlaylistRow) -> TrackFilter:
    return TrackFilter.model_validate(row.filter)


def _shown(row: SmartPlaylistRow) -> SmartPlaylist:
    return SmartPlaylist(**vars(row) | {"filter": _filter(row), "sort": Order(row.sort)})


async def _get(conn: Connection, username: str, playlist_id: int, *, lock: bool = False) -> SmartPlaylistRow:
    if (row := await store.find_smart_playlist(conn, username, playlist_id, lock=lock)) is None:
        raise _not_found(playlist_id)
    return row


def _not_found(playlist_id: int) -> NotFound:
    return NotFound(f"There is no smart playlist {playlist_id} in this collection.")
