"""Add, list and remove collections."""

from dj_servicekit.errors import Conflict, NotFound
from gateway_api.db import Pool, transaction
from gateway_api.features.friends import store
from gateway_api.features.friends.models import Friend


async def list_friends(db: Pool) -> list[Friend]:
    async with transaction(db) as conn:
        return await store.list_friends(conn)


async def add_friend(db: Pool, username: str) -> Friend:
    async with transaction(db) as conn:
        return await store.insert_friend(conn, username)


async def remove_friend(db: Pool, username: str, *, own_username: str, with_tracks: bool) -> None:
    """Remove a collection. One with tracks in it goes only when that is said in so many words."""
    if username == own_username:
        raise Conflict("This is the owner's own collection; it cannot be removed.")
    async with transaction(db) as conn:
        tracks = await store.count_tracks(conn, username)
        if tracks and not with_tracks:
            raise Conflict(
                f"{username} has {tracks} tracks. Add with_tracks=true to delete them with the collection."
            )
        if not await store.delete_friend(conn, username):
            raise NotFound(f"There is no collection named {username!r}.")
