"""The connection pool, and the one place where a broken constraint becomes a domain word."""

import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

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
    "download_preferences_username_fkey": NotFound,
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
    "jobs_one_open_reanalysis": Conflict,
}
_SENTENCES = {
    "playlist_tracks_track_fkey": "The playlist names a track that is not in this collection.",
    "plays_track_fkey": "There is no such track in this collection.",
    "plays_session_fkey": "There is no such session in this collection.",
    "friends_username_key": "A collection of that name exists.",
    "tracks_pkey": "A track with that id exists in this collection.",
    "jobs_one_open": "The track has an open job of this kind already.",
    "jobs_one_open_scan": "The folder has an open scan already.",
    "jobs_one_open_reanalysis": "The collection is being measured again already.",
    "playlist_tracks_once": "A playlist holds each track once; one of them is named twice.",
}


_FRESH_SECONDS = 1.0
# Postgres compiles a statement that it takes for a dear one, and that takes longer than to run it. The last
# three are pgvector's: how many an index keeps in view, that it is read on until enough has passed the
# filters, and where it gives up. Set here, for in each question they would cost two journeys more.
_SESSION = (
    "statement_timeout=30000",
    "lock_timeout=5000",
    "jit=off",
    "hnsw.ef_search=100",
    "hnsw.iterative_scan=relaxed_order",
    "hnsw.max_scan_tuples=20000",
)


def make_pool(url: str, connections: int) -> Pool:
    """A pool that is opened in the application's lifespan and waits at most five seconds. A connection
    that has rested is tried before it is used; under load that would be every second journey."""
    rests_since: WeakKeyDictionary[Connection, float] = WeakKeyDictionary()

    async def note(conn: Connection) -> None:
        rests_since[conn] = time.monotonic()

    async def check(conn: Connection) -> None:
        if time.monotonic() - rests_since.get(conn, -math.inf) > _FRESH_SECONDS:
            await AsyncConnectionPool.check_connection(conn)

    return AsyncConnectionPool(
        url,
        min_size=2,
        max_size=connections,
        timeout=5,
        open=False,
        check=check,
        reset=note,
        kwargs={"autocommit": True, "options": " ".join(f"-c {setting}" for setting in _SESSION)},
    )


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Connection]:
    """One transaction: committed at the end of the block, rolled back by an exception."""
    async with reading(pool) as conn, conn.transaction():
        yield conn


@asynccontextmanager
async def reading(pool: Pool) -> AsyncIterator[Connection]:
    """For a statement that only reads, and is a transaction by itself: BEGIN and COMMIT would be two more
    journeys to the database, which cost more than the row of one track."""
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
