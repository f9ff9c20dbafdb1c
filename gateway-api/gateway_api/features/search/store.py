"""The statements of search on Postgres: matching, ranking and counting, and the words of a collection.

What matches words or filters is not prepared: after a few questions Postgres would take one plan for all of
them, and the only plan that suits any words reads the whole table.
"""

from collections.abc import Sequence
from typing import Any

from psycopg.rows import class_row

from gateway_api.db import Connection
from gateway_api.features.tracks.conditions import sql_conditions
from gateway_api.features.tracks.models import TrackRow
from gateway_api.features.tracks.store import COLUMNS, estimate_count
from gateway_api.search_port import MOST_FACET_VALUES, Facet, Question, Sort, TrackKey
from gateway_api.terms import Filter

# Comparing the whole phrase with each match costs; of more matches than this the words alone decide.
_MOST_COMPARED = 500
# Of more matches than this only so many are ranked, and their number is an estimate.
_MOST_COUNTED = 10_000
# What begins with a letter or two is a third of everything: who types on narrows it down, and ranking all of
# it for each key that is pressed took half a second.
_SHORT = 2
_MOST_COUNTED_SHORT = 500
_MOST_SIMILAR = 200

# The expression, and whether it can be null.
_SORTS = {
    Sort.ADDED: ("t.created_at", False),
    Sort.TITLE: ("dj_fold(t.title)", False),
    Sort.ARTIST: ("dj_fold(t.artist)", False),
    Sort.BPM: ("t.bpm", True),
    Sort.YEAR: ("t.year", True),
    Sort.RATING: ("t.star_rating", True),
    Sort.ENERGY: ("t.energy", True),
}
# The column, and its values as texts.
_FACETS = {
    Facet.GENRE: ("t.genres", "unnest({})"),
    Facet.STYLE: ("t.styles", "unnest({})"),
    Facet.KEY: ("t.key", "{}"),
    Facet.YEAR: ("t.year", "{}::text"),
    Facet.RATING: ("t.star_rating", "{}::text"),
    Facet.SHELF: ("t.library_identifier", "{}"),
    Facet.OWNER: ("t.username", "{}"),
}
Hit = tuple[str, str, str, str, str]
"""(username, track_id, title, artist, album)"""


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
) -> tuple[list[Hit], int]:
    """The page's hits, and how many hits there are: counted up to a limit, and estimated above it."""
    most = _MOST_COUNTED
    if question.sort is Sort.RELEVANCE and spellings:
        # Who leafs on past them waits that half second. The order is another one there, of all of them.
        begun = question.offset + question.limit <= _MOST_COUNTED_SHORT
        if begun and all(len(word[0]) <= _SHORT for word in spellings):
            most = _MOST_COUNTED_SHORT
        rows, counted = await _search_ranked(conn, question, spellings, most)
    else:
        rows, counted = await _search_ordered(conn, question, spellings)
    if counted > most:
        counted = max(counted, await estimate_count(conn, *_matching(question.filter, spellings)))
    return rows, counted


async def _search_ranked(
    conn: Connection, question: Question, spellings: Sequence[Sequence[str]], most: int
) -> tuple[list[Hit], int]:
    where, parameters = _matching(question.filter, spellings)
    parameters |= {
        "limit": question.limit,
        "offset": question.offset,
        "phrase": " ".join(word[0] for word in spellings),
        "compared": _MOST_COMPARED,
        "most": most + 1,
    }
    matched = f"""
        select t.username, t.track_id, t.folded, t.created_at, ts_rank(t.words, %(query)s::tsquery) as rank
        from tracks t where {where} limit %(most)s
    """
    if any(len(word[0]) <= _SHORT for word in spellings):
        # A letter or two begin more words than are ranked, so those that are just that come in first.
        parameters["exactly"] = _together(spellings, beginning="")
        exactly = matched.replace("t.words @@ %(query)s", "t.words @@ %(exactly)s")
        matched = f"({exactly}) union ({matched})"
    cursor = conn.cursor()
    await cursor.execute(
        f"""
        with matched as materialized ({matched}),
             counted as (select count(*) as n from matched),
             page as (
                 select m.username, m.track_id, row_number() over (
                     order by m.rank desc,
                     case when (select n from counted) <= %(compared)s
                          then word_similarity(%(phrase)s, m.folded) end desc,
                     case when (select n from counted) <= %(compared)s then m.folded end,
                     m.created_at desc, m.track_id, m.username
                 ) as place
                 from matched m order by place limit %(limit)s offset %(offset)s
             )
        select counted.n, t.username, t.track_id, t.title, t.artist, t.album
        from counted left join page on true
        left join tracks t on t.username = page.username and t.track_id = page.track_id
        order by page.place
        """,
        parameters,
        prepare=False,
    )
    rows: list[tuple[Any, ...]] = await cursor.fetchall()
    return [row[1:] for row in rows if row[1] is not None], int(rows[0][0])


async def _search_ordered(
    conn: Connection, question: Question, spellings: Sequence[Sequence[str]]
) -> tuple[list[Hit], int]:
    """Page and count apart, so that the page can come in the order of an index."""
    where, parameters = _matching(question.filter, spellings)
    by, may_be_null = _SORTS.get(question.sort, _SORTS[Sort.ADDED])
    way = "desc" if question.descending or question.sort is Sort.RELEVANCE else "asc"
    # Ties go the same way, as the index does when it is read backwards.
    order = f"{by} {way}{' nulls last' if may_be_null else ''}, t.track_id {way}, t.username {way}"
    cursor = conn.cursor()
    await cursor.execute(
        f"""
        select t.username, t.track_id, t.title, t.artist, t.album from tracks t where {where}
        order by {order} limit %(limit)s offset %(offset)s
        """,
        parameters | {"limit": question.limit, "offset": question.offset},
        prepare=False,
    )
    rows: list[Any] = await cursor.fetchall()
    if len(rows) < question.limit and (rows or not question.offset):
        return rows, question.offset + len(rows)
    await cursor.execute(
        f"select count(*) from (select from tracks t where {where} limit %(most)s) counted",
        parameters | {"most": _MOST_COUNTED + 1},
        prepare=False,
    )
    counted = await cursor.fetchone()
    return rows, int(str(counted[0])) if counted else 0


async def count_facets(
    conn: Connection, question: Question, spellings: Sequence[Sequence[str]]
) -> dict[Facet, dict[str, int]]:
    """Of each facet its commonest values, and how many of all hits have them."""
    where, parameters = _matching(question.filter, spellings)
    columns = ", ".join(f"{_FACETS[facet][0]} as {facet}" for facet in question.facets)
    counts = " union all ".join(
        f"""(
            select '{facet}', min(value), count(*) as n
            from (select {_FACETS[facet][1].format(facet)} as value from matched) each
            where value is not null group by lower(value) order by n desc, lower(value) limit %(most)s
        )"""
        for facet in question.facets
    )
    cursor = await conn.execute(
        f"with matched as materialized (select {columns} from tracks t where {where}) {counts}",
        parameters | {"most": MOST_FACET_VALUES},
        prepare=False,
    )
    found: dict[Facet, dict[str, int]] = {facet: {} for facet in question.facets}
    for facet, value, count in await cursor.fetchall():
        found[Facet(str(facet))][str(value)] = int(str(count))
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


def _together(words: Sequence[Sequence[str]], beginning: str = ":*") -> str:
    return " & ".join(
        "(" + " | ".join(f"'{spelling}'{beginning}" for spelling in word) + ")" for word in words
    )
