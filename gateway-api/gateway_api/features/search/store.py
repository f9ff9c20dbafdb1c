"""The statements of search on Postgres: matching, ranking and counting, and the words of a collection."""

from collections.abc import Sequence
from typing import Any

from psycopg.rows import class_row

from gateway_api.db import Connection
from gateway_api.features.tracks.conditions import sql_conditions
from gateway_api.features.tracks.models import TrackRow
from gateway_api.features.tracks.store import COLUMNS
from gateway_api.search_port import MOST_FACET_VALUES, Facet, Question, Sort, TrackKey
from gateway_api.terms import Filter

# Comparing the whole phrase with each match costs; of more matches than this the words alone decide.
_MOST_COMPARED = 500
_MOST_SIMILAR = 200

_SORTS = {
    Sort.ADDED: "t.created_at",
    Sort.TITLE: "dj_fold(t.title)",
    Sort.ARTIST: "dj_fold(t.artist)",
    Sort.BPM: "t.bpm",
    Sort.YEAR: "t.year",
    Sort.RATING: "t.star_rating",
    Sort.ENERGY: "t.energy",
}
_FACETS = {
    Facet.GENRE: "unnest(t.genres)",
    Facet.STYLE: "unnest(t.styles)",
    Facet.KEY: "t.key",
    Facet.YEAR: "t.year::text",
    Facet.RATING: "t.star_rating::text",
    Facet.SHELF: "t.library_identifier",
    Facet.OWNER: "t.username",
}


async def read_words(conn: Connection, text: str) -> list[tuple[str, bool]]:
    """The words of a text as the index holds them (no case, accents or punctuation), each with whether
    it begins a word that somebody's collection has or had."""
    cursor = await conn.execute(
        """
        select word, coalesce(starts_with((
            select k.word from search_words k where k.word >= start collate "C" order by k.word limit 1
        ), start), false)
        from unnest(string_to_array(nullif(dj_fold(%s), ''), ' ')) with ordinality as typed (word, place),
             left(word, 100) as start  -- as much of it as search_words has
        order by place
        """,
        [text],
    )
    return [(str(word), bool(known)) for word, known in await cursor.fetchall()]


async def list_similar_words(conn: Connection, word: str, *, edits: int, beginnings: bool) -> list[str]:
    """Known words of the same first letter and so many single-letter edits away; or ones that begin so."""
    compared = "left(k.word, %(length)s)" if beginnings else "k.word"
    cursor = await conn.execute(
        f"""
        select distinct k.word from search_words k
        where k.word >= %(first)s and k.word < %(first)s || chr(1114111)
          and length({compared}) between %(length)s - %(edits)s and %(length)s + %(edits)s
          and levenshtein_less_equal({compared}, %(word)s, %(edits)s) <= %(edits)s
        limit %(most)s
        """,
        {"word": word, "first": word[0], "length": len(word), "edits": edits, "most": _MOST_SIMILAR},
    )
    return [str(row[0]) for row in await cursor.fetchall()]


async def list_words_begun_otherwise(conn: Connection, word: str) -> list[str]:
    """Known words that differ in how they begin alone: another first letter, one more, one less, or the
    first two swapped."""
    cursor = await conn.execute(
        """
        select word from search_words where word = any(%(others)s)
        union
        select word from search_words
        where reverse(word) >= %(ending)s and reverse(word) < %(ending)s || chr(1114111)
          and length(word) <= %(most_letters)s
        limit %(most)s
        """,
        {
            "others": [word[1:], word[1] + word[0] + word[2:]],
            "ending": word[:0:-1],
            "most_letters": len(word) + 1,
            "most": _MOST_SIMILAR,
        },
    )
    return [str(row[0]) for row in await cursor.fetchall()]


async def search_page(
    conn: Connection, question: Question, spellings: Sequence[Sequence[str]]
) -> tuple[list[tuple[str, str, str, str, str]], int]:
    """(username, track_id, title, artist, album) of the page's hits, and how many hits there are."""
    where, parameters = _matching(question.filter, spellings)
    parameters |= {"limit": question.limit, "offset": question.offset}
    cursor = conn.cursor()
    if question.sort is Sort.RELEVANCE and spellings:
        parameters |= {"phrase": " ".join(word[0] for word in spellings), "compared": _MOST_COMPARED}
        matched = (
            "t.username, t.track_id, t.folded, t.created_at, ts_rank(t.words, %(query)s::tsquery) as rank"
        )
        order = """
            m.rank desc,
            case when (select n from counted) <= %(compared)s
                 then word_similarity(%(phrase)s, m.folded) end desc,
            case when (select n from counted) <= %(compared)s then m.folded end,
            m.created_at desc, m.track_id, m.username
        """
    else:
        by = _SORTS.get(question.sort, "t.created_at")
        down = "desc" if question.descending or question.sort is Sort.RELEVANCE else "asc"
        matched = f"t.username, t.track_id, {by} as value"
        order = f"m.value {down} nulls last, m.track_id, m.username"
    await cursor.execute(
        f"""
        with matched as materialized (select {matched} from tracks t where {where}),
             counted as (select count(*) as n from matched),
             page as (
                 select m.username, m.track_id, row_number() over (order by {order}) as place
                 from matched m order by place limit %(limit)s offset %(offset)s
             )
        select counted.n, t.username, t.track_id, t.title, t.artist, t.album
        from counted left join page on true
        left join tracks t on t.username = page.username and t.track_id = page.track_id
        order by page.place
        """,
        parameters,
    )
    rows: list[tuple[Any, ...]] = await cursor.fetchall()
    return [row[1:] for row in rows if row[1] is not None], int(rows[0][0])


async def count_facets(
    conn: Connection, question: Question, spellings: Sequence[Sequence[str]]
) -> dict[Facet, dict[str, int]]:
    where, parameters = _matching(question.filter, spellings)
    found: dict[Facet, dict[str, int]] = {}
    for facet in question.facets:
        cursor = await conn.execute(
            f"""
            select min(value), count(*)
            from (select {_FACETS[facet]} as value from tracks t where {where}) each
            where value is not null group by lower(value)
            order by count(*) desc, lower(value) limit %(most)s
            """,
            parameters | {"most": MOST_FACET_VALUES},
        )
        found[facet] = {str(value): int(str(count)) for value, count in await cursor.fetchall()}
    return found


async def read_tracks(conn: Connection, keys: Sequence[TrackKey]) -> list[TrackRow]:
    """The living tracks of these keys, in their order."""
    cursor = conn.cursor(row_factory=class_row(TrackRow))
    await cursor.execute(
        f"""
        select {COLUMNS}
        from unnest(%s::text[], %s::text[]) with ordinality as wanted (username, track_id, place)
        join tracks t on t.username = wanted.username and t.track_id = wanted.track_id
        where t.deleted_at is null order by wanted.place
        """,
        [[username for username, _ in keys], [track_id for _, track_id in keys]],
    )
    return await cursor.fetchall()


async def fold_values(conn: Connection, values: Sequence[str]) -> list[str]:
    """Texts as dj_fold() leaves them, for an engine that cannot fold."""
    cursor = await conn.execute(
        "select dj_fold(value) from unnest(%s::text[]) with ordinality as each (value, place) order by place",
        [list(values)],
    )
    return [str(row[0]) for row in await cursor.fetchall()]


def _matching(clauses: Filter, spellings: Sequence[Sequence[str]]) -> tuple[str, dict[str, Any]]:
    conditions, parameters = sql_conditions(clauses)
    if spellings:
        conditions.append("t.words @@ %(query)s::tsquery")
        parameters["query"] = _together(spellings)
    return " and ".join(["t.deleted_at is null", *conditions]), parameters


def _together(words: Sequence[Sequence[str]]) -> str:
    return " & ".join("(" + " | ".join(f"'{spelling}':*" for spelling in word) + ")" for word in words)
