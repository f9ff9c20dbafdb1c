"""The statements that find what is near.

The index of a model holds every collection, and filters are applied to what it yields, nearest first.
It is read on until enough has passed them (pgvector's iterative scan, set in db.py). Where little passes, or
the index gave up before there was enough, what passes is compared one by one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql
from psycopg.rows import class_row

from gateway_api.db import Connection
from gateway_api.embedding_port import Vector
from gateway_api.features.embeddings.models import Kind, Space
from gateway_api.features.embeddings.store import as_text, comparable
from gateway_api.features.similar.models import Candidate, Probe
from gateway_api.features.tracks.filters import TrackFilter
from gateway_api.features.tracks.models import TrackRow
from gateway_api.features.tracks.store import COLUMNS, estimate_count

# So few are compared one by one in the time in which the index finds what passes, and none is missed.
_COMPARED_ONE_BY_ONE = 4000
# What passes filters may lie far from what is asked about, and a sentence lies far from all texts, so there
# the index keeps more in view than db.py says: set for this one statement, before it reads the first row.
_WIDER = "(select set_config('hnsw.ef_search', '200', true)) is not null"


@dataclass(frozen=True)
class Wanted:
    """What is near the probe and passes the conditions; ``besides`` is (owner, id) of the track itself."""

    columns: str
    probe: Probe
    conditions: Sequence[str]
    parameters: Mapping[str, Any]
    limit: int
    besides: tuple[str, str]


async def find_probe(conn: Connection, username: str, track_id: str, kind: Kind) -> Probe | None:
    cursor = await conn.execute(
        """
        select e.model, e.dims, e.embedding::text
        from track_embeddings e join tracks t using (username, track_id)
        where e.username = %s and e.track_id = %s and e.kind = %s and e.embedding is not null
          and t.deleted_at is null
        """,
        [username, track_id, kind.value],
    )
    row: Any = await cursor.fetchone()
    return Probe(Space(kind, row[0], row[1]), row[2]) if row else None


def probe_of(model: str, vector: Vector) -> Probe:
    return Probe(Space(Kind.TEXT, model, len(vector)), as_text(vector))


async def list_near(
    conn: Connection,
    username: str,
    probe: Probe,
    filters: TrackFilter,
    *,
    limit: int,
    besides: str | None = None,
) -> list[tuple[TrackRow, float]]:
    """The nearest tracks that pass the filters, each with its similarity; the nearest first."""
    wanted = _wanted(COLUMNS, username, probe, filters, limit, besides)
    return [(TrackRow(*row[1:]), row[0]) for row in await _list_near(conn, wanted)]


async def list_near_keys(
    conn: Connection, username: str, probe: Probe, filters: TrackFilter, *, limit: int, besides: str
) -> list[tuple[str, str]]:
    """(username, track id) of the same."""
    wanted = _wanted("t.username, t.track_id", username, probe, filters, limit, besides)
    return [(row[1], row[2]) for row in await _list_near(conn, wanted)]


def _wanted(
    columns: str, username: str, probe: Probe, filters: TrackFilter, limit: int, besides: str | None
) -> Wanted:
    conditions, parameters = filters.conditions()
    owners = filters.owner or [username]
    return Wanted(
        columns, probe, conditions, parameters | {"owners": owners}, limit, (username, besides or "")
    )


async def _list_near(conn: Connection, wanted: Wanted) -> list[Any]:
    if not (wanted.conditions and await _estimate_passing(conn, wanted) <= _COMPARED_ONE_BY_ONE):
        found = await _nearest(conn, wanted, exact=False)
        if len(found) >= wanted.limit:
            return found
    return await _nearest(conn, wanted, exact=True)


async def _estimate_passing(conn: Connection, wanted: Wanted) -> int:
    where = " and ".join(["t.username = any(%(owners)s)", "t.deleted_at is null", *wanted.conditions])
    return await estimate_count(conn, where, wanted.parameters)


async def _nearest(conn: Connection, wanted: Wanted, *, exact: bool) -> list[Any]:
    """Similarity and columns of what is nearest."""
    space = wanted.probe.space
    # The model and the limit are written into the statement: only so can one plan, made once, be that of the
    # model's index. With filters none is kept: a plan for any filter suits few of them.
    which = sql.SQL("e.kind = {} and e.model = {} and e.dims = {}").format(
        sql.Literal(space.kind.value), sql.Literal(space.model), sql.Literal(space.dims)
    )
    far = wanted.conditions or space.kind is Kind.TEXT
    where = " and ".join(
        [
            which.as_string(conn).replace("%", "%%"),
            "e.embedding is not null",
            "e.username = any(%(owners)s)",
            "t.deleted_at is null",
            "(e.username, e.track_id) <> (%(username)s, %(besides)s)",
            *wanted.conditions,
            *([_WIDER] if far and not exact else []),
        ]
    )
    # Without the cast that the index is made of, no index answers: every row that passes is compared.
    kind = "vector" if exact else comparable(space)[0]
    cursor = await conn.execute(
        f"""
        with near as materialized (
            select e.username, e.track_id, e.embedding <=> %(probe)s::vector as distance
            from track_embeddings e join tracks t using (username, track_id)
            where {where} order by e.embedding::{kind} <=> %(probe)s::{kind} limit {wanted.limit}
        )
        select 1 - near.distance, {wanted.columns} from near join tracks t using (username, track_id)
        order by near.distance, t.track_id
        """,
        dict(wanted.parameters)
        | {"username": wanted.besides[0], "besides": wanted.besides[1], "probe": wanted.probe.vector},
        prepare=False if wanted.conditions or exact else None,
    )
    return await cursor.fetchall()


async def list_near_in_tempo(
    conn: Connection, username: str, bpm: float, filters: TrackFilter, *, share: float, limit: int
) -> list[tuple[str, str]]:
    """(username, track id) of the tracks nearest in tempo."""
    conditions, parameters = filters.conditions()
    where = " and ".join(
        [
            "t.username = any(%(owners)s)",
            "t.deleted_at is null",
            "t.bpm between %(low)s and %(high)s",
            *conditions,
        ]
    )
    cursor = await conn.execute(
        f"""
        select t.username, t.track_id from tracks t where {where}
        order by abs(t.bpm - %(probe)s), t.track_id limit %(limit)s
        """,
        parameters
        | {
            "owners": filters.owner or [username],
            "low": bpm * (1 - share),
            "high": bpm * (1 + share),
            "probe": bpm,
            "limit": limit,
        },
        prepare=False if conditions else None,
    )
    return [(str(owner), str(track_id)) for owner, track_id in await cursor.fetchall()]


async def list_candidates(
    conn: Connection, username: str, track_id: str, candidates: Sequence[tuple[str, str]]
) -> list[Candidate]:
    """How near each of these is to the track, by every model that knows both."""
    cursor = conn.cursor(row_factory=class_row(Candidate))

    def similarity(kind: Kind) -> str:
        return f"""(
            select 1 - (theirs.embedding <=> ours.embedding)
            from track_embeddings ours join track_embeddings theirs using (kind, model, dims)
            where ours.username = %(username)s and ours.track_id = %(track_id)s and ours.kind = '{kind.value}'
              and theirs.username = t.username and theirs.track_id = t.track_id
              and ours.embedding is not null and theirs.embedding is not null
        )"""

    await cursor.execute(
        f"""
        select t.username, t.track_id, t.bpm, t.key,
               {similarity(Kind.AUDIO)} as sound, {similarity(Kind.TEXT)} as text
        from unnest(%(owners)s::text[], %(tracks)s::text[]) as wanted (username, track_id)
        join tracks t using (username, track_id)
        """,
        {
            "username": username,
            "track_id": track_id,
            "owners": [owner for owner, _ in candidates],
            "tracks": [one for _, one in candidates],
        },
    )
    return await cursor.fetchall()


async def has_due_texts(conn: Connection, username: str) -> bool:
    cursor = await conn.execute(
        "select exists (select from text_embeddings_due where username = %s)", [username]
    )
    row = await cursor.fetchone()
    return bool(row and row[0])
