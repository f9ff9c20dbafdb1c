"""The baseline of the api benchmark: FastAPI and psycopg, one query, nothing else."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

pool = AsyncConnectionPool(os.environ["DATABASE_URL"], open=False, min_size=2, max_size=8)


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    async with pool:
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/row/{track_id}")
async def row(track_id: str) -> dict[str, Any] | None:
    async with pool.connection() as conn:
        cursor = conn.cursor(row_factory=dict_row)
        await cursor.execute("select * from tracks where username = 'dj' and track_id = %s", [track_id])
        found = await cursor.fetchone()
    return {k: v for k, v in found.items() if k not in ("words", "folded")} if found else None


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning", access_log=False)
