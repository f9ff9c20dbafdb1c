"""The statement that shows that the database answers."""

from gateway_api.db import Connection


async def ask(conn: Connection) -> None:
    await conn.execute("select 1")
