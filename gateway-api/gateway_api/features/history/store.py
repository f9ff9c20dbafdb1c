"""The statements over plays and sessions."""

from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from gateway_api.db import Connection
from gateway_api.features.history.models import Play, Session
from gateway_api.features.tracks.filters import TrackFilter
from gateway_api.features.tracks.models import TrackRow
from gateway_api.features.tracks.store import COLUMNS

_PLAY = """
    select p.id, p.username, p.track_id, t.title, t.artist, p.session_id, p.played_at
    from plays p join tracks t using (username, track_id)
"""
_SESSION = """
    select s.id, s.username, s.name, s.started_at, s.updated_at,
           (select count(*) from plays p where p.session_id = s.id and p.username = s.username) as plays
    from play_sessions s
"""


async def insert_play(
    conn: Connection, username: str, track_id: str, session_id: int | None, played_at: datetime | None
) -> int:
    """The id of the play; one that was told before is given the session, when one is named now."""
    cursor = await conn.execute(
        """
        insert into plays (username, track_id, session_id, played_at)
        values (%s, %s, %s, coalesce(%s, now()))
        on conflict on constraint plays_once
        do update set session_id = coalesce(excluded.session_id, plays.session_id)
        returning id
        """,
        [username, track_id, session_id, played_at],
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - an insert that returns either gives a row or raises
    return int(str(row[0]))


async def find_play(conn: Connection, username: str, play_id: int) -> Play | None:
    cursor = conn.cursor(row_factory=class_row(Play))
    await cursor.execute(f"{_PLAY} where p.username = %s and p.id = %s", [username, play_id])
    return await cursor.fetchone()


async def list_plays(
    conn: Connection,
    username: str,
    *,
    session_id: int | None,
    track_id: str | None,
    limit: int,
    offset: int,
) -> tuple[list[Play], int]:
    where = """
        p.username = %(username)s
        and (%(session)s::bigint is null or p.session_id = %(session)s)
        and (%(track)s::text is null or p.track_id = %(track)s)
    """
    parameters = {
        "username": username,
        "session": session_id,
        "track": track_id,
        "limit": limit,
        "offset": offset,
    }
    order = "p.played_at, p.id" if session_id is not None else "p.played_at desc, p.id desc"
    cursor = conn.cursor(row_factory=class_row(Play))
    await cursor.execute(
        f"{_PLAY} where {where} order by {order} limit %(limit)s offset %(offset)s", parameters
    )
    plays = await cursor.fetchall()
    counted = await (await conn.execute(f"select count(*) from plays p where {where}", parameters)).fetchone()
    return plays, int(str(counted[0])) if counted else 0


async def delete_play(conn: Connection, username: str, play_id: int) -> bool:
    cursor = await conn.execute("delete from plays where username = %s and id = %s", [username, play_id])
    return cursor.rowcount == 1


async def insert_session(conn: Connection, username: str, name: str, started_at: datetime | None) -> int:
    cursor = await conn.execute(
        """
        insert into play_sessions (username, name, started_at) values (%s, %s, coalesce(%s, now()))
        returning id
        """,
        [username, name, started_at],
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - an insert that returns either gives a row or raises
    return int(str(row[0]))


async def find_session(
    conn: Connection, username: str, session_id: int, *, lock: bool = False
) -> Session | None:
    cursor = conn.cursor(row_factory=class_row(Session))
    await cursor.execute(
        f"{_SESSION} where s.username = %s and s.id = %s {'for update' if lock else ''}",
        [username, session_id],
    )
    return await cursor.fetchone()


async def list_sessions(conn: Connection, username: str, *, limit: int, offset: int) -> list[Session]:
    cursor = conn.cursor(row_factory=class_row(Session))
    await cursor.execute(
        f"{_SESSION} where s.username = %s order by s.started_at desc, s.id desc limit %s offset %s",
        [username, limit, offset],
    )
    return await cursor.fetchall()


async def update_session(
    conn: Connection, username: str, session_id: int, name: str | None, started_at: datetime | None
) -> None:
    await conn.execute(
        """
        update play_sessions
        set name = coalesce(%s, name), started_at = coalesce(%s, started_at), updated_at = now()
        where username = %s and id = %s
        """,
        [name, started_at, username, session_id],
    )


async def delete_session(conn: Connection, username: str, session_id: int) -> bool:
    """Delete a session with its plays."""
    cursor = await conn.execute(
        "delete from play_sessions where username = %s and id = %s", [username, session_id]
    )
    return cursor.rowcount == 1


async def list_unplayed(
    conn: Connection, username: str, filters: TrackFilter, *, days: int, limit: int, offset: int
) -> list[tuple[TrackRow, datetime | None]]:
    conditions, parameters = filters.conditions()
    where = " and ".join(["t.username = any(%(owners)s)", "t.deleted_at is null", *conditions])
    cursor = conn.cursor()
    await cursor.execute(
        f"""
        with last as (
            select username, track_id, max(played_at) as played_at from plays
            where username = any(%(owners)s) group by username, track_id
        )
        select last.played_at, {COLUMNS} from tracks t
        left join last on last.username = t.username and last.track_id = t.track_id
        where {where}
          and (last.played_at is null or last.played_at < now() - make_interval(days => %(days)s))
        order by last.played_at nulls first, t.created_at, t.track_id
        limit %(limit)s offset %(offset)s
        """,
        parameters | {"owners": filters.owner or [username], "days": days, "limit": limit, "offset": offset},
    )
    rows: list[tuple[Any, ...]] = await cursor.fetchall()
    return [(TrackRow(*row[1:]), row[0]) for row in rows]
