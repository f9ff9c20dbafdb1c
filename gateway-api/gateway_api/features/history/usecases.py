"""Notes what was played, and tells what was not."""

from dj_servicekit.errors import NotFound
from gateway_api.db import Connection, Pool, transaction
from gateway_api.features.history import store
from gateway_api.features.history.models import (
    NewPlay,
    NewSession,
    Play,
    Plays,
    Session,
    SessionPatch,
    UnplayedTrack,
    UnplayedTracks,
)
from gateway_api.features.tracks import store as tracks_store
from gateway_api.features.tracks.filters import TrackFilter
from gateway_api.features.tracks.usecases import track_not_found
from gateway_api.preconditions import require_match


async def note_play(db: Pool, username: str, new: NewPlay) -> Play:
    async with transaction(db) as conn:
        if not await tracks_store.find_track(conn, username, new.track_id):
            raise track_not_found(new.track_id)
        play_id = await store.insert_play(conn, username, new.track_id, new.session_id, new.played_at)
        play = await store.find_play(conn, username, play_id)
    assert play is not None  # noqa: S101 - written in this transaction
    return play


async def list_plays(
    db: Pool, username: str, *, session_id: int | None, track_id: str | None, limit: int, offset: int
) -> Plays:
    async with transaction(db) as conn:
        if session_id is not None:
            await _get_session(conn, username, session_id)
        plays, total = await store.list_plays(
            conn, username, session_id=session_id, track_id=track_id, limit=limit, offset=offset
        )
    return Plays(plays=plays, offset=offset, limit=limit, total=total)


async def delete_play(db: Pool, username: str, play_id: int) -> None:
    async with transaction(db) as conn:
        if not await store.delete_play(conn, username, play_id):
            raise NotFound(f"There is no play {play_id} in this collection.")


async def list_unplayed(
    db: Pool, username: str, filters: TrackFilter, *, days: int, limit: int, offset: int
) -> UnplayedTracks:
    async with transaction(db) as conn:
        rows = await store.list_unplayed(conn, username, filters, days=days, limit=limit, offset=offset)
    tracks = [UnplayedTrack(track=row.to_track(), last_played_at=last) for row, last in rows]
    return UnplayedTracks(tracks=tracks, offset=offset, limit=limit)


async def create_session(db: Pool, username: str, new: NewSession) -> Session:
    async with transaction(db) as conn:
        session_id = await store.insert_session(conn, username, new.name, new.started_at)
        return await _get_session(conn, username, session_id)


async def list_sessions(db: Pool, username: str, *, limit: int, offset: int) -> list[Session]:
    async with transaction(db) as conn:
        return await store.list_sessions(conn, username, limit=limit, offset=offset)


async def get_session(db: Pool, username: str, session_id: int) -> Session:
    async with transaction(db) as conn:
        return await _get_session(conn, username, session_id)


async def edit_session(
    db: Pool, username: str, session_id: int, patch: SessionPatch, if_match: str | None = None
) -> Session:
    async with transaction(db) as conn:
        session = await _get_session(conn, username, session_id, lock=True)
        require_match(if_match, session.updated_at)
        await store.update_session(conn, username, session_id, patch.name, patch.started_at)
        return await _get_session(conn, username, session_id)


async def delete_session(db: Pool, username: str, session_id: int, if_match: str | None = None) -> None:
    async with transaction(db) as conn:
        require_match(if_match, (await _get_session(conn, username, session_id, lock=True)).updated_at)
        await store.delete_session(conn, username, session_id)


async def _get_session(conn: Connection, username: str, session_id: int, *, lock: bool = False) -> Session:
    if (session := await store.find_session(conn, username, session_id, lock=lock)) is None:
        raise _no_session(session_id)
    return session


def _no_session(session_id: int) -> NotFound:
    return NotFound(f"There is no session {session_id} in this collection.")
