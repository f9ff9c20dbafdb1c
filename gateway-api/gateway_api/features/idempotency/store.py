"""The statements over idempotency keys."""

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from gateway_api.db import Connection


@dataclass(frozen=True)
class KnownRequest:
    request_hash: str
    status: int | None
    headers: dict[str, str] | None
    body: bytes | None


async def claim_key(conn: Connection, key: str, request_hash: str) -> bool:
    """Whether the key is new. Keys of yesterday are forgotten on the way."""
    await conn.execute("delete from idempotency_keys where created_at < now() - interval '1 day'")
    cursor = await conn.execute(
        "insert into idempotency_keys (key, request_hash) values (%s, %s) on conflict do nothing",
        [key, request_hash],
    )
    return cursor.rowcount == 1


async def find_key(conn: Connection, key: str) -> KnownRequest | None:
    cursor = conn.cursor(row_factory=class_row(KnownRequest))
    await cursor.execute(
        "select request_hash, status, headers, body from idempotency_keys where key = %s", [key]
    )
    return await cursor.fetchone()


async def save_answer(
    conn: Connection, key: str, status: int, headers: Mapping[str, str], body: bytes | None
) -> None:
    await conn.execute(
        "update idempotency_keys set status = %s, headers = %s, body = %s where key = %s",
        [status, Jsonb(dict(headers)), body, key],
    )


async def forget_key(conn: Connection, key: str) -> None:
    await conn.execute("delete from idempotency_keys where key = %s", [key])
