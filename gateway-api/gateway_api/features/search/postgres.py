"""Search on Postgres: the words as they are typed first, near spellings where that finds nothing."""

from collections.abc import Sequence

from gateway_api.db import Connection, Pool, reading
from gateway_api.features.search import store
from gateway_api.features.search.highlights import highlight
from gateway_api.features.search.typos import count_typos, typos_allowed
from gateway_api.search_port import MOST_WORDS, Answer, Question

_MOST_SPELLINGS = 30
_Spellings = Sequence[Sequence[str]]


class PostgresSearch:
    """The engine that is always there."""

    def __init__(self, db: Pool) -> None:
        self._db = db

    async def search(self, question: Question) -> Answer:
        async with reading(self._db) as conn:
            spellings, rows, total = await _find(conn, question)
            facets = await store.count_facets(conn, question, spellings) if question.facets else {}
        marks = {spelling for word in spellings for spelling in word} if question.highlight else set()
        return Answer(
            keys=[(row[0], row[1]) for row in rows],
            total=total,
            facets=facets,
            highlights={(row[0], row[1]): highlight(*row[2:], marks) for row in rows if question.highlight},
        )


async def _find(conn: Connection, question: Question) -> tuple[_Spellings, list[store.Hit], int]:
    """The page, its number of hits, and the spellings that led to it."""
    typed = (await store.read_words(conn, question.text))[:MOST_WORDS]
    as_typed: _Spellings = [[word] for word, _ in typed]
    if all(known for _, known in typed):
        rows, total = await store.search_page(conn, question, as_typed)
        if total or not typed:
            return as_typed, rows, total
    near = {word: await _near(conn, word) for word, known in typed if not known}
    if near:
        spellings = [near.get(word, [word]) for word, _ in typed]
        if not all(spellings):
            return as_typed, [], 0
        rows, total = await store.search_page(conn, question, spellings)
        if total:
            return spellings, rows, total
    # Each word may be a slip that happens to be, or to begin, another word.
    spellings = [near[word] if word in near else [word, *await _near(conn, word)] for word, _ in typed]
    rows, total = await store.search_page(conn, question, spellings)
    return spellings, rows, total


async def _near(conn: Connection, word: str) -> list[str]:
    """The words that this may have been meant to be: whole, or else begun."""
    if (allowed := typos_allowed(word)) == 0:
        return []
    for beginnings in (False, True):
        # Postgres counts two letters that are swapped as two edits.
        similar = await store.list_similar_words(conn, word, edits=allowed + 1, beginnings=beginnings)
        if allowed > 1 and not beginnings:
            similar += await store.list_words_begun_otherwise(conn, word)
        counted = sorted((count_typos(word, other, beginning=beginnings), other) for other in similar)
        if found := [other for typos, other in counted if typos <= allowed]:
            return found[:_MOST_SPELLINGS]
    return []
