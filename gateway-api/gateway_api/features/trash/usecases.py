"""Puts tracks in the trash, brings them back, and deletes them for ever."""

from collections.abc import Iterable

from dj_servicekit.errors import NotFound
from gateway_api.db import Connection, Pool, transaction
from gateway_api.features.jobs import store as jobs_store
from gateway_api.features.jobs.usecases import add_analysis_jobs, announce
from gateway_api.features.tracks import store as tracks_store
from gateway_api.features.trash import store
from gateway_api.features.trash.models import Deleted, PutAway, Restored, Trash, TrashedTrack
from gateway_api.services import Services


async def list_trash(db: Pool, username: str, *, limit: int, offset: int) -> Trash:
    async with transaction(db) as conn:
        rows, total = await store.list_trash(conn, username, limit=limit, offset=offset)
    tracks = [TrashedTrack(track=row.to_track(), deleted_at=deleted_at) for row, deleted_at in rows]
    return Trash(tracks=tracks, offset=offset, limit=limit, total=total)


async def put_away(db: Pool, username: str, track_ids: Iterable[str]) -> PutAway:
    async with transaction(db) as conn:
        wanted = await _existing(conn, username, track_ids)
        await store.put_away(conn, username, wanted)
        for track_id in wanted:
            await jobs_store.cancel_track_jobs(conn, username, track_id, why="The track was deleted.")
    return PutAway(track_ids=wanted)


async def restore(services: Services, username: str, track_ids: Iterable[str]) -> Restored:
    """Restored twice, a track is simply there."""
    async with transaction(services.db) as conn:
        wanted = await _existing(conn, username, track_ids)
        to_measure = await store.restore(conn, username, wanted)
        jobs = await add_analysis_jobs(conn, username, to_measure)
        rows = await tracks_store.list_by_id(conn, username, wanted)
    await announce(jobs, db=services.db, queue=services.queue, events=services.events)
    return Restored(tracks=[row.to_track() for row in rows])


async def delete_for_ever(db: Pool, username: str, track_id: str) -> None:
    async with transaction(db) as conn:
        if not await store.delete_for_ever(conn, username, track_id):
            raise NotFound(f"There is no track {track_id!r} in the trash.")


async def empty(db: Pool, username: str) -> Deleted:
    async with transaction(db) as conn:
        return Deleted(deleted=await store.delete_for_ever(conn, username))


async def _existing(conn: Connection, username: str, track_ids: Iterable[str]) -> list[str]:
    wanted = list(dict.fromkeys(track_ids))
    there = await store.list_existing(conn, username, wanted)
    if missing := [track_id for track_id in wanted if track_id not in there]:
        raise NotFound(f"Nothing was changed. Not in this collection: {', '.join(missing[:10])}.")
    return wanted
