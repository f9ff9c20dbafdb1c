"""The statements over finds that wait for a person."""

from collections.abc import Sequence

from psycopg.rows import class_row

from dj_contracts.downloads import Candidate
from gateway_api.db import Connection
from gateway_api.features.review.models import CandidateRow, ReviewState

_COLUMNS = """
    c.id, c.username, c.track_id, t.title as track_title, t.artist as track_artist,
    t.duration_seconds as track_duration_seconds, c.url, c.title, c.uploader, c.duration_seconds,
    c.score, c.reasons, c.state, c.found_at, c.decided_at
"""
_FROM = """
    from review_candidates c join tracks t using (username, track_id)
    where t.deleted_at is null and c.username = %(username)s
"""


async def save_candidates(
    conn: Connection, username: str, track_id: str, candidates: Sequence[Candidate]
) -> None:
    """What is found again is brought up to date. What a person refused stays refused."""
    cursor = conn.cursor()
    await cursor.executemany(
        """
        insert into review_candidates as c
            (username, track_id, url, title, uploader, duration_seconds, score, reasons)
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        on conflict on constraint review_candidates_once do update set
            title = excluded.title, uploader = excluded.uploader,
            duration_seconds = excluded.duration_seconds, score = excluded.score,
            reasons = excluded.reasons, found_at = now(), decided_at = null, state = 'waiting'
        where c.state <> 'rejected'
        """,
        [
            (
                username,
                track_id,
                found.url,
                found.title.replace("\x00", ""),
                found.uploader.replace("\x00", ""),
                found.duration_seconds,
                found.score,
                found.reasons,
            )
            for found in candidates
        ],
    )


async def list_candidates(
    conn: Connection, username: str, *, state: ReviewState, track_id: str | None, limit: int, offset: int
) -> list[CandidateRow]:
    cursor = conn.cursor(row_factory=class_row(CandidateRow))
    await cursor.execute(
        f"""
        select {_COLUMNS} {_FROM} and c.state = %(state)s
          and (%(track_id)s::text is null or c.track_id = %(track_id)s)
        order by c.score desc, c.id limit %(limit)s offset %(offset)s
        """,
        {"username": username, "state": state, "track_id": track_id, "limit": limit, "offset": offset},
    )
    return await cursor.fetchall()


async def count_candidates(
    conn: Connection, username: str, *, state: ReviewState, track_id: str | None
) -> int:
    cursor = await conn.execute(
        f"""
        select count(*) {_FROM} and c.state = %(state)s
          and (%(track_id)s::text is null or c.track_id = %(track_id)s)
        """,
        {"username": username, "state": state, "track_id": track_id},
    )
    row = await cursor.fetchone()
    return int(str(row[0])) if row else 0


async def find_candidate(conn: Connection, username: str, candidate_id: int) -> CandidateRow | None:
    cursor = conn.cursor(row_factory=class_row(CandidateRow))
    await cursor.execute(
        f"select {_COLUMNS} {_FROM} and c.id = %(id)s", {"username": username, "id": candidate_id}
    )
    return await cursor.fetchone()


async def decide(conn: Connection, username: str, candidate_id: int, state: ReviewState) -> bool:
    """False when somebody has decided it otherwise before. Deciding the same twice changes nothing."""
    cursor = await conn.execute(
        """
        update review_candidates set state = %(state)s, decided_at = coalesce(decided_at, now())
        where username = %(username)s and id = %(id)s and state in ('waiting', %(state)s)
        """,
        {"username": username, "id": candidate_id, "state": state},
    )
    return cursor.rowcount == 1


async def list_rejected_urls(conn: Connection, username: str, track_id: str) -> list[str]:
    cursor = await conn.execute(
        """
        select url from review_candidates
        where username = %s and track_id = %s and state = 'rejected' order by id
        """,
        [username, track_id],
    )
    return [str(row[0]) for row in await cursor.fetchall()]


async def forget_waiting(conn: Connection, username: str, track_id: str) -> None:
    """The track has its audio: nobody needs to judge the rest."""
    await conn.execute(
        "delete from review_candidates where username = %s and track_id = %s and state = 'waiting'",
        [username, track_id],
    )
