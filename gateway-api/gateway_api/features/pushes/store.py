"""The statements over raw pushes: which job each wish became, and which push it was last."""

from gateway_api.db import Connection


async def lock_push(conn: Connection, push_id: str) -> None:
    """Two bridges may bring the same push at once; until the transaction ends, one of them decides."""
    await conn.execute("select pg_advisory_xact_lock(hashtextextended('dj:push:' || %s, 0))", [push_id])


async def find_push(conn: Connection, push_id: str) -> tuple[str, str] | None:
    """(job id, identity of the last push of this wish)."""
    cursor = await conn.execute("select job_id, identity from pushes where id = %s", [push_id])
    row = await cursor.fetchone()
    return (str(row[0]), str(row[1])) if row else None


async def save_push(conn: Connection, push_id: str, identity: str, job_id: str) -> None:
    await conn.execute(
        """
        insert into pushes (id, identity, job_id) values (%s, %s, %s)
        on conflict (id) do update set identity = excluded.identity, job_id = excluded.job_id,
            pushed_at = now()
        """,
        [push_id, identity, job_id],
    )
