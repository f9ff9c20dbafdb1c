"""The statements over friends: whose collections there are."""

from psycopg.rows import class_row

from gateway_api.db import Connection
from gateway_api.features.friends.models import Friend


async def list_friends(conn: Connection) -> list[Friend]:
    cursor = conn.cursor(row_factory=class_row(Friend))
    await cursor.execute("select id, username from friends order by id")
    return await cursor.fetchall()


async def insert_friend(conn: Connection, username: str) -> Friend:
    cursor = conn.cursor(row_factory=class_row(Friend))
    await cursor.execute("insert into friends (username) values (%s) returning id, username", [username])
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - an insert that returns either gives a row or raises
    return row


async def ensure_friend(conn: Connection, username: str) -> None:
    await conn.execute("insert into friends (username) values (%s) on conflict do nothing", [username])


async def count_tracks(conn: Connection, username: str) -> int:
    cursor = await conn.execute("select count(*) from tracks where username = %s", [username])
    row = await cursor.fetchone()
    return int(str(row[0])) if row else 0


async def delete_friend(conn: Connection, username: str) -> bool:
    cursor = await conn.execute("delete from friends where username = %s", [username])
    return cursor.rowcount == 1
