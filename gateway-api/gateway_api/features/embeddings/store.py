"""The statements over embeddings: what is due, what is kept, and the index of a model."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql
from psycopg.rows import class_row

from gateway_api.db import Connection
from gateway_api.embedding_port import Vector
from gateway_api.features.embeddings.models import DueText, Kind, Space

# pgvector's HNSW takes so many dimensions at single precision, and twice as many at half.
_MOST_SINGLE, _MOST_HALF = 2000, 4000
# A sentence lies far from all texts of tracks, and those lie in tight groups: with pgvector's own 16 and 64 a
# search reaches 0.82 of the ten nearest however long it looks (hnsw.ef_search 100 to 400), with 16 and 200 it
# reached 0.96; among 100,000 texts it reaches 0.69 to 0.81 with these. See ./dj bench recall.
_LINKS, _BUILD_WIDTH = 24, 200


@dataclass(frozen=True)
class MadeText:
    due: DueText
    made_from: str
    vector: Vector | None


def comparable(space: Space) -> tuple[str, str]:
    """(type, operator class) by which vectors of this length are indexed and compared."""
    if space.dims <= _MOST_SINGLE:
        return f"vector({space.dims})", "vector_cosine_ops"
    if space.dims <= _MOST_HALF:
        return f"halfvec({space.dims})", "halfvec_cosine_ops"
    return "vector", ""


def as_text(vector: Vector) -> str:
    return "[" + ",".join(map(repr, vector)) + "]"


async def require_texts_of(conn: Connection, model: str, recipe: int) -> int:
    """Note every track whose text was embedded by another model or recipe, or never; how many."""
    cursor = await conn.execute(
        """
        insert into text_embeddings_due (username, track_id)
        select t.username, t.track_id from tracks t
        left join track_embeddings e
            on e.username = t.username and e.track_id = t.track_id and e.kind = 'text'
        where e.track_id is null or e.model <> %(model)s
           or not starts_with(e.made_from, %(recipe)s || ':')
        on conflict (username, track_id) do nothing
        """,
        {"model": model, "recipe": str(recipe)},
    )
    return cursor.rowcount


async def list_due_texts(conn: Connection, limit: int) -> list[DueText]:
    cursor = conn.cursor(row_factory=class_row(DueText))
    await cursor.execute(
        """
        select d.username, d.track_id, d.change, t.title, t.artist, t.album, t.year, t.genres, t.styles,
               t.local_tags, t.notes, t.bpm, t.energy, t.mood_happy, t.mood_sad, t.mood_relaxed,
               t.mood_aggressive, e.model, e.made_from
        from (select * from text_embeddings_due order by change limit %s) d
        join tracks t using (username, track_id)
        left join track_embeddings e
            on e.username = d.username and e.track_id = d.track_id and e.kind = 'text'
        order by d.change
        """,
        [limit],
    )
    return await cursor.fetchall()


async def count_texts(conn: Connection, username: str, model: str) -> tuple[int, int, int]:
    """(embedded by the model, without a vector, waiting) of one collection."""
    cursor = await conn.execute(
        """
        select count(embedding), count(*) - count(embedding),
               (select count(*) from text_embeddings_due where username = %(username)s)
        from track_embeddings where username = %(username)s and kind = 'text' and model = %(model)s
        """,
        {"username": username, "model": model},
    )
    row: Any = await cursor.fetchone()
    return row[0], row[1], row[2]


async def count_due_texts(conn: Connection) -> int:
    row: Any = await (await conn.execute("select count(*) from text_embeddings_due")).fetchone()
    return int(row[0])


async def save_texts(conn: Connection, model: str, made: Sequence[MadeText]) -> None:
    """Keep vectors. A track that was deleted meanwhile is passed over."""
    await conn.execute(
        """
        insert into track_embeddings (username, track_id, kind, model, dims, made_from, embedding)
        select m.username, m.track_id, 'text', %s, m.dims, m.made_from, m.embedding::vector
        from unnest(%s::text[], %s::text[], %s::integer[], %s::text[], %s::text[])
             as m (username, track_id, dims, made_from, embedding)
        join tracks t using (username, track_id)
        order by m.username, m.track_id
        on conflict (username, track_id, kind) do update
        set model = excluded.model, dims = excluded.dims, made_from = excluded.made_from,
            embedding = excluded.embedding, made_at = now()
        """,
        [
            model,
            [one.due.username for one in made],
            [one.due.track_id for one in made],
            [len(one.vector) if one.vector else 0 for one in made],
            [one.made_from for one in made],
            [as_text(one.vector) if one.vector else None for one in made],
        ],
    )


async def settle(conn: Connection, done: Sequence[DueText]) -> None:
    """These are no longer due, unless they changed again since they were read."""
    await conn.execute(
        """
        delete from text_embeddings_due d
        using unnest(%s::text[], %s::text[], %s::bigint[]) as done (username, track_id, change)
        where (d.username, d.track_id, d.change) = (done.username, done.track_id, done.change)
        """,
        [[one.username for one in done], [one.track_id for one in done], [one.change for one in done]],
    )


async def save_sound(conn: Connection, username: str, track_id: str, model: str, vector: Vector) -> None:
    await conn.execute(
        """
        insert into track_embeddings (username, track_id, kind, model, dims, embedding)
        values (%s, %s, 'audio', %s, %s, %s::vector)
        on conflict (username, track_id, kind) do update
        set model = excluded.model, dims = excluded.dims, embedding = excluded.embedding, made_at = now()
        """,
        [username, track_id, model, len(vector), as_text(vector)],
    )


async def list_spaces(conn: Connection, at_least: int) -> list[Space]:
    """The kinds and models that have so many vectors."""
    cursor = await conn.execute(
        """
        select kind, model, dims from track_embeddings where embedding is not null
        group by kind, model, dims having count(*) >= %s
        """,
        [at_least],
    )
    return [
        Space(Kind(str(kind)), str(model), int(str(dims))) for kind, model, dims in await cursor.fetchall()
    ]


async def ensure_index(conn: Connection, space: Space) -> bool:
    """The index of one model, made without stopping writers; whether it was made now.

    ``conn`` must be outside a transaction. One that was broken off leaves an invalid index, which goes first.
    """
    name = _index_name(space)
    # Two gateways at work must not take each other's unfinished index for one that was broken off.
    locked = await (await conn.execute("select pg_try_advisory_lock(hashtext(%s))", [name])).fetchone()
    if not (locked and locked[0]):
        return False
    try:
        return await _make_index(conn, space, name)
    finally:
        await conn.execute("select pg_advisory_unlock(hashtext(%s))", [name])


async def _make_index(conn: Connection, space: Space, name: str) -> bool:
    kind, operators = comparable(space)
    if not operators:
        return False
    cursor = await conn.execute(
        """
        select i.indisvalid from pg_class c join pg_index i on i.indexrelid = c.oid
        where c.oid = to_regclass('public.' || quote_ident(%s))
        """,
        [name],
    )
    if (found := await cursor.fetchone()) is not None and found[0]:
        return False
    # No time limits: at its end the build waits for every older transaction, and a backup takes its time. It
    # holds up nobody meanwhile. Building in several processes wants more shared memory than a container has.
    await conn.execute(
        "set statement_timeout = 0; set lock_timeout = 0; set max_parallel_maintenance_workers = 0;"
        " set maintenance_work_mem = '256MB'"
    )
    try:
        if found is not None:
            await conn.execute(sql.SQL("drop index concurrently {}").format(sql.Identifier(name)))
        await conn.execute(
            sql.SQL(
                "create index concurrently {} on track_embeddings using hnsw ((embedding::{}) {})"
                f" with (m = {_LINKS}, ef_construction = {_BUILD_WIDTH})"
                " where kind = {} and model = {} and dims = {}"
            ).format(
                sql.Identifier(name),
                sql.SQL(kind),  # made of constants and a number
                sql.SQL(operators),
                *(sql.Literal(value) for value in (space.kind.value, space.model, space.dims)),
            )
        )
    finally:
        await conn.execute("reset all")
    return True


def _index_name(space: Space) -> str:
    digest = hashlib.sha256(f"{space.model}/{space.dims}".encode()).hexdigest()[:12]
    return f"track_embeddings_{space.kind.value}_{digest}"
