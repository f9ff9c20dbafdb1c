"""Search on Postgres: whole words and prefixes first, and near spellings when those find nothing."""

from collections.abc import Sequence
from typing import Any

from gateway_api.db import Connection
from gateway_api.features.tracks.filters import TrackFilter
from gateway_api.features.tracks.models import TrackRow
from gateway_api.features.tracks.store import COLUMNS

# Below three letters a trigram says nothing, so short words must match as they are.
_SHORTEST_FUZZY = 3
# How near the trigrams of a word must come before its edits are counted. One wrong letter leaves most
# words 0.5 like themselves; two swapped ones leave "bjrok" only 0.33 like "bjork", and "lfe" is 0.28 like
# "life". Looking that far takes five times as long, so it is the second try.
_SIMILARITIES = (0.5, 0.25)
_MOST_SPELLINGS = 50


def _edits(word: str) -> int:
    """How many letters may be wrong in a word of this length; a swap of two counts as two."""
    return 1 if len(word) < 5 else 2 if len(word) < 9 else 3


async def fold(conn: Connection, text: str) -> list[str]:
    """The words of a text as the index holds them: no case, accents or punctuation."""
    cursor = await conn.execute("select dj_fold(%s)", [text])
    row = await cursor.fetchone()
    return str(row[0]).split() if row else []


async def search_words(
    conn: Connection,
    username: str,
    words: Sequence[Sequence[str]],
    filters: TrackFilter,
    *,
    limit: int,
    offset: int,
) -> tuple[list[TrackRow], int]:
    """Tracks in which each word stands, whole or as a beginning, in one of its spellings; best first."""
    if not words:
        order = "t.created_at desc, t.track_id"
        return await _search(conn, username, filters, [], order, {}, limit=limit, offset=offset)
    return await _search(
        conn,
        username,
        filters,
        ["t.words @@ %(query)s::tsquery"],
        "ts_rank(t.words, %(query)s::tsquery) desc, word_similarity(%(phrase)s, t.folded) desc,"
        " dj_fold(t.title), t.track_id",
        {"query": _together(words), "phrase": " ".join(word[0] for word in words)},
        limit=limit,
        offset=offset,
    )


async def exists_together(conn: Connection, username: str, words: Sequence[Sequence[str]]) -> bool:
    """Whether any track has them all, whatever the filters say."""
    cursor = await conn.execute(
        """
        select exists (select from tracks t where t.username = %s and t.deleted_at is null
                       and t.words @@ %s::tsquery)
        """,
        [username, _together(words)],
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


def _together(words: Sequence[Sequence[str]]) -> str:
    return " & ".join("(" + " | ".join(f"'{spelling}':*" for spelling in word) + ")" for word in words)


async def list_known_words(conn: Connection, username: str, words: list[str]) -> set[str]:
    """Those of the words that begin a word of some track: they are typed right."""
    cursor = await conn.execute(
        """
        select word from unnest(%s::text[]) as word
        where exists (
            select from tracks t
            where t.username = %s and t.deleted_at is null
              and t.words @@ (quote_literal(word) || ':*')::tsquery
        )
        """,
        [words, username],
    )
    return {str(row[0]) for row in await cursor.fetchall()}


async def list_near_words(
    conn: Connection, username: str, word: str, *, beside: Sequence[str] = ()
) -> list[str]:
    """The words of the collection that are a few edits away from this one, as typos are; only those of
    tracks in which the words ``beside`` it stand too."""
    if len(word) < _SHORTEST_FUZZY:
        return []
    parameters = {"username": username, "word": word, "edits": _edits(word), "most": _MOST_SPELLINGS}
    parameters["beside"] = " & ".join(f"'{known}':*" for known in beside)
    narrowing = "and t.words @@ %(beside)s::tsquery" if beside else ""
    for similarity in _SIMILARITIES:
        await conn.execute(
            "select set_config('pg_trgm.word_similarity_threshold', %s, true)", [str(similarity)]
        )
        cursor = await conn.execute(
            f"""
            select known from tracks t, unnest(string_to_array(t.folded, ' ')) as known
            where t.username = %(username)s and t.deleted_at is null and %(word)s <%% t.folded {narrowing}
              and levenshtein_less_equal(left(known, 100), left(%(word)s, 100), %(edits)s) <= %(edits)s
            group by known
            order by levenshtein_less_equal(left(known, 100), left(%(word)s, 100), %(edits)s), known
            limit %(most)s
            """,
            parameters,
        )
        if found := [str(row[0]) for row in await cursor.fetchall()]:
            return found
    return []


async def _search(
    conn: Connection,
    username: str,
    filters: TrackFilter,
    conditions: list[str],
    order: str,
    parameters: dict[str, Any],
    *,
    limit: int,
    offset: int,
) -> tuple[list[TrackRow], int]:
    filter_conditions, filter_parameters = filters.conditions()
    where = " and ".join(
        ["t.username = %(username)s", "t.deleted_at is null", *filter_conditions, *conditions]
    )
    parameters = parameters | filter_parameters | {"username": username, "limit": limit, "offset": offset}
    cursor = conn.cursor()
    # The page is cut before the wide columns are read; the count is of all that matched.
    await cursor.execute(
        f"""
        with matched as materialized (select t.track_id, row_number() over (order by {order}) as place
                                      from tracks t where {where}),
             page as (select * from matched order by place limit %(limit)s offset %(offset)s)
        select (select count(*) from matched), {COLUMNS}
        from page join tracks t on t.username = %(username)s and t.track_id = page.track_id
        order by page.place
        """,
        parameters,
    )
    rows: list[tuple[Any, ...]] = await cursor.fetchall()
    if rows:
        return [TrackRow(*row[1:]) for row in rows], int(rows[0][0])
    if offset == 0:
        return [], 0
    await cursor.execute(f"select count(*) from tracks t where {where}", parameters)
    counted = await cursor.fetchone()
    return [], int(str(counted[0])) if counted else 0
