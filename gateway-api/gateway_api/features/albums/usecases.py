"""Shows, fills in and deletes albums."""

from dataclasses import asdict

from dj_servicekit.errors import Conflict, NotFound
from gateway_api.db import Connection, Pool, transaction
from gateway_api.features.albums import store
from gateway_api.features.albums.models import Album, AlbumFields, AlbumRow, Albums, AlbumWithTracks
from gateway_api.preconditions import require_match


async def list_albums(db: Pool, username: str, *, q: str, label: str, limit: int, offset: int) -> Albums:
    async with transaction(db) as conn:
        rows, total = await store.list_albums(conn, username, q=q, label=label, limit=limit, offset=offset)
    return Albums(albums=[Album(**asdict(row)) for row in rows], offset=offset, limit=limit, total=total)


async def get_album(db: Pool, username: str, release_id: str) -> AlbumWithTracks:
    async with transaction(db) as conn:
        row = await _get(conn, username, release_id)
        tracks = await store.list_album_tracks(conn, username, release_id)
    return AlbumWithTracks(**asdict(row), tracks=[track.to_track() for track in tracks])


async def save_album(
    db: Pool, username: str, release_id: str, fields: AlbumFields, if_match: str | None = None
) -> Album:
    """Set what is named; an album that there is not is made. Twice is as once."""
    async with transaction(db) as conn:
        if if_match is not None:
            if (updated_at := await store.lock_album(conn, username, release_id)) is None:
                raise _not_found(release_id)
            require_match(if_match, updated_at)
        await store.save_album(conn, username, release_id, fields.model_dump(exclude_unset=True))
        return Album(**asdict(await _get(conn, username, release_id)))


async def delete_album(db: Pool, username: str, release_id: str) -> None:
    async with transaction(db) as conn:
        if not await store.delete_album(conn, username, release_id):
            row = await _get(conn, username, release_id)
            raise Conflict(
                f"Tracks still name this release ({row.track_count} beside those in the trash). "
                "Give them another release_id, or delete them first."
            )


async def _get(conn: Connection, username: str, release_id: str) -> AlbumRow:
    if (row := await store.find_album(conn, username, release_id)) is None:
        raise _not_found(release_id)
    return row


def _not_found(release_id: str) -> NotFound:
    return NotFound(f"There is no release {release_id!r} in this collection.")
