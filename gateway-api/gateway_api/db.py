"""The connection pool, and the one place where a broken constraint becomes a domain word."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from dj_servicekit.errors import Conflict, NotFound, ServiceError, UpstreamUnavailable

Connection = psycopg.AsyncConnection[tuple[object, ...]]
Pool = AsyncConnectionPool[Connection]

_UNKNOWN_COLLECTION = "There is no collection of that name. Make it with POST /api/friends."
_CONSTRAINTS: dict[str, type[ServiceError]] = {
    "tracks_username_fkey": NotFound,
    "playlists_username_fkey": NotFound,
    "jobs_username_fkey": NotFound,
    "playlist_tracks_track_fkey": NotFound,
    "albums_username_fkey": NotFound,
    "smart_playlists_username_fkey": NotFound,
    "play_sessions_username_fkey": NotFound,
    "plays_track_fkey": NotFound,
    "plays_session_fkey": NotFound,
    "friends_username_key": Conflict,
    "tracks_pkey": Conflict,
    "playlist_tracks_once": Conflict,
    "jobs_one_open": Conflict,
    "jobs_one_open_scan": Conflict,
}
_SENTENCES = {
    "playlist_tracks_track_fkey": "The playlist names a track that is not in this collection.",
    "plays_track_fkey": "There is no such track in this collection.",
    "plays_session_fkey": "There is no such session in this collection.",
    "friends_username_key": "A collection of that name exists.",
    "tracks_pkey": "A track with that id exists in this collection.",
    "jobs_one_open": "The track has an open job of this kind already.",
    "jobs_one_open_scan": "The folder has an open scan already.",
    "playlist_tracks_once": "A playlist holds each track once; one of them is named twice.",
}


def make_pool(url: str, connections: int) -> Pool:
    """A pool that is opened in the application's lifespan and waits at most five seconds."""
    return AsyncConnectionPool(
        url,
        min_size=2,
        max_size=connections,
        timeout=5,
        open=False,
        check=AsyncConnectionPool.check_connection,
        kwargs={"options": "-c statement_timeout=30000 -c lock_timeout=5000"},
    )


@asynccontextmanager
async def autocommit(pool: Pool) -> AsyncIterator[Connection]:
    """A connection outside any transaction, for what Postgres does only there."""
    async with transaction(pool) as conn:
        await conn.set_autocommit(True)
        try:
            yield conn
        finally:
            if not conn.closed:
                await conn.set_autocommit(False)


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Connection]:
    """One transaction: committed at the end of the block, rolled back by an exception."""
    try:
        async with pool.connection() as conn:
            yield conn
    except (psycopg.errors.ForeignKeyViolation, psycopg.errors.UniqueViolation) as exc:
        name = exc.diag.constraint_name or ""
        if (error := _CONSTRAINTS.get(name)) is None:
            raise
        raise error(_SENTENCES.get(name, _UNKNOWN_COLLECTION)) from exc
    except (PoolTimeout, psycopg.OperationalError) as exc:
        raise UpstreamUnavailable(
            "The database does not answer. Try again in a moment.", headers={"Retry-After": "5"}
        ) from exc
