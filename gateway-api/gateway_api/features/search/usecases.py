"""One question, asked of the engine there is, and answered in Meilisearch's shape."""

import time
from dataclasses import replace
from typing import Literal

from dj_contracts.tracks import SearchHit, SearchHits
from dj_servicekit.logs import log
from gateway_api.db import Pool, reading
from gateway_api.features.search import store
from gateway_api.features.search.older_filter import read_older_filter
from gateway_api.features.search.postgres import PostgresSearch
from gateway_api.features.search.shortcuts import read_shortcuts
from gateway_api.features.tracks.filters import TrackFilter, owned
from gateway_api.search_port import Answer, EngineAway, Question
from gateway_api.services import Services
from gateway_api.terms import FOLDED, Filter, Not, OneOf, Term


def read_question(text: str, older_filter: str, *, filters: TrackFilter, username: str) -> Question:
    """The words to look for, and a filter in which all holds that is asked anywhere: in the parameters,
    in the shortcuts among the words, and in the filter text."""
    words, shortcuts = read_shortcuts(text)
    clauses = (*filters.clauses(), *shortcuts.clauses(), *read_older_filter(older_filter))
    return Question(text=words, filter=owned(clauses, username))


async def search_tracks(services: Services, question: Question, *, asked: str) -> SearchHits:
    started = time.perf_counter()
    engine, answer, notice = await _ask(services, question)
    async with reading(services.db) as conn:
        rows = await store.read_tracks(conn, answer.keys) if answer.keys else []
    return SearchHits(
        hits=[
            SearchHit(**vars(row.to_track()), formatted=answer.highlights.get((row.username, row.track_id)))
            for row in rows
        ],
        query=asked,
        offset=question.offset,
        limit=question.limit,
        estimatedTotalHits=answer.total,
        processingTimeMs=round((time.perf_counter() - started) * 1000),
        facetDistribution={facet: dict(counts) for facet, counts in answer.facets.items()},
        engine=engine,
        notice=notice,
    )


async def _ask(
    services: Services, question: Question
) -> tuple[Literal["postgres", "meilisearch"], Answer, str | None]:
    if question.text.strip() and not any(sign.isalnum() for sign in question.text):
        # Without a letter or digit to look for, either engine would answer with the whole collection.
        return "postgres" if services.index is None else "meilisearch", Answer(keys=[], total=0), None
    notice = None
    if services.index is not None:
        try:
            folded = replace(question, filter=await _folded(services.db, question.filter))
            return "meilisearch", await services.index.search(folded), None
        except EngineAway as exc:
            log.info("search_fell_back", reason=str(exc))
            notice = f"{exc} Postgres answered instead."
    return "postgres", await PostgresSearch(services.db).search(question), notice


async def _folded(db: Pool, clauses: Filter) -> Filter:
    """The filter with its texts as the index holds them."""
    texts = {value for clause in clauses for term in clause for value in _texts(term)}
    if not texts:
        return clauses
    async with reading(db) as conn:
        folded = dict(zip(texts, await store.fold_values(conn, list(texts)), strict=True))

    def fold(term: Term) -> Term:
        match term:
            case Not(inner):
                return Not(fold(inner))  # type: ignore[arg-type]  # what was no Not comes back as none
            case OneOf(attribute, values) if attribute in FOLDED:
                return OneOf(attribute, tuple(folded[str(value)] for value in values))
        return term

    return tuple(tuple(fold(term) for term in clause) for clause in clauses)


def _texts(term: Term) -> list[str]:
    match term:
        case Not(inner):
            return _texts(inner)
        case OneOf(attribute, values) if attribute in FOLDED:
            return [str(value) for value in values]
    return []
