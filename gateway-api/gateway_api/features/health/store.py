"""The statements that show that the database answers, and what stands in the queue."""

from typing import Any

from gateway_api.db import Connection


async def ask(conn: Connection) -> None:
    await conn.execute("select 1")


async def count_jobs(conn: Connection) -> list[tuple[str, str, int]]:
    """(kind, state, how many) of all collections."""
    cursor = await conn.execute("select kind, state, count(*) from jobs group by kind, state")
    rows: list[Any] = await cursor.fetchall()
    return [(kind, state, count) for kind, state, count in rows]


async def count_failures(conn: Connection) -> list[tuple[str, str, int]]:
    """(kind, error code, how many)."""
    cursor = await conn.execute(
        """
        select kind, coalesce(error_code, ''), count(*) from jobs
        where state = 'failed' group by kind, error_code
        """
    )
    rows: list[Any] = await cursor.fetchall()
    return [(kind, code, count) for kind, code, count in rows]


async def oldest_waiting_seconds(conn: Connection) -> float:
    cursor = await conn.execute(
        """
        select coalesce(extract(epoch from now() - min(run_after)), 0)::float8 from jobs
        where state = 'waiting' and run_after <= now()
        """
    )
    row: Any = await cursor.fetchone()
    return float(row[0])
