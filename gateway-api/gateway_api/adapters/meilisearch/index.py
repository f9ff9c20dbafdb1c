"""One index at a Meilisearch server, through the official client.

That client is synchronous, opens a connection for every call, and changes headers that it shares
between threads; so each call gets a client of its own, which costs microseconds, on a thread of our own
few, which leaves the event loop and everybody else's threads alone.
"""

import asyncio
import html
import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import requests
from meilisearch.client import Client
from meilisearch.errors import MeilisearchApiError, MeilisearchError

from dj_contracts.tracks import Highlighted
from dj_servicekit.logs import log
from gateway_api.adapters.meilisearch.filters import meilisearch_filter, quoted
from gateway_api.adapters.meilisearch.form import FACETS, SETTINGS, SORTS
from gateway_api.search_port import HIGHLIGHTED, Answer, EngineAway, Question, Sort, TrackKey

Document = Mapping[str, Any]
T = TypeVar("T")

_THREADS = 8
# Long enough for a batch to be taken, which is all that a call waits for; and a stop waits for it.
_FEEDING_SECONDS = 15
# After a search without an answer, further ones do not wait for one until this has gone by.
_REST_SECONDS = 5.0
_SLOWEST_POLL_SECONDS = 1.0
# A document of the index itself: which build it is. It has no owner, so no search finds it.
_MARKER = "_built"
_WORD = re.compile(r"[^\W_]+")
# Letters that no text has (private use), to find the marks again after escaping.
_MARK, _END = "\ue000", "\ue001"


class IndexRefused(Exception):
    """The engine answered and did not do it: something is wrong with what it was given."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class MeilisearchIndex:
    """The engine that answers as one types, where there is one."""

    def __init__(self, url: str, key: str | None, name: str, search_seconds: float) -> None:
        self.name = name
        self._url, self._key, self._search_seconds = url, key, search_seconds
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="meilisearch")
        self._resting_until = 0.0

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def search(self, question: Question) -> Answer:
        if time.monotonic() < self._resting_until:
            raise EngineAway("The search engine does not answer.")
        try:
            found = await self._call(
                lambda client: client.index(self.name).search(_words(question.text), _parameters(question)),
                seconds=self._search_seconds,
            )
        except IndexRefused as exc:
            # As of an index that is not there yet, or is still one of an older form.
            log.warning("search_index_refused", reason=str(exc))
            raise EngineAway("The search index is not ready.") from exc
        except EngineAway:
            self._resting_until = time.monotonic() + _REST_SECONDS
            raise
        return _answer(question, found)

    async def answers(self) -> bool:
        try:
            await self._call(lambda client: client.get_version(), seconds=self._search_seconds)
        except (EngineAway, IndexRefused):
            return False
        return True

    async def find_build(self, name: str) -> str | None:
        """Which build an index is; None when there is no index, or none that was built to its end."""
        try:
            found = await self._call(lambda client: client.index(name).get_document(_MARKER))
        except IndexRefused as exc:
            if exc.code in ("index_not_found", "document_not_found"):
                return None
            raise
        return str(getattr(found, "build", "")) or None

    async def exists(self, name: str) -> bool:
        try:
            await self._call(lambda client: client.get_raw_index(name))
        except IndexRefused as exc:
            if exc.code == "index_not_found":
                return False
            raise
        return True

    async def make(self, name: str) -> None:
        """An empty index of our form, in place of whatever had the name."""
        await self.drop(name)
        await self._do(lambda client: client.create_index(name, {"primaryKey": "id"}))
        await self._do(lambda client: client.index(name).update_settings(SETTINGS))

    async def drop(self, name: str) -> None:
        if await self.exists(name):
            await self._do(lambda client: client.delete_index(name))

    async def put(self, name: str, documents: Sequence[Document]) -> None:
        """Store documents, each in place of the one that had its id."""
        await self._do(lambda client: client.index(name).add_documents(documents, primary_key="id"))

    async def delete(self, name: str, ids: Sequence[str]) -> None:
        wanted = f"id IN [{', '.join(map(quoted, ids))}]"
        await self._do(lambda client: client.index(name).delete_documents(filter=wanted))

    async def take_place(self, name: str, build: str) -> None:
        """Let a finished index answer under our name from now on, in one step. When there was none
        before, an empty one is made for the swap: it has no filterable attribute, so it refuses every
        question of ours, and nobody takes it for an empty collection."""
        await self.put(name, [{"id": _MARKER, "build": build}])
        if not await self.exists(self.name):
            await self._do(lambda client: client.create_index(self.name, {"primaryKey": "id"}))
        await self._do(lambda client: client.swap_indexes([{"indexes": [self.name, name]}]))

    async def _do(self, enqueue: Callable[[Client], Any]) -> None:
        """Enqueue a task and wait until it has succeeded: that it was taken says little."""
        uid = (await self._call(enqueue)).task_uid
        pause = 0.01
        while (task := await self._call(lambda client: client.get_task(uid))).status in (
            "enqueued",
            "processing",
        ):
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _SLOWEST_POLL_SECONDS)
        if task.status != "succeeded":
            error = task.error or {}
            raise IndexRefused(str(error.get("code", task.status)), str(error.get("message", "")))

    async def _call(self, ask: Callable[[Client], T], *, seconds: float = _FEEDING_SECONDS) -> T:
        def with_client() -> T:
            # The client's annotation says int; requests, to which it goes, takes fractions too.
            return ask(Client(self._url, self._key, timeout=seconds))  # type: ignore[arg-type]

        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, with_client)
        except MeilisearchApiError as exc:
            if exc.status_code >= 500 or exc.status_code in (401, 403, 408, 429):
                raise EngineAway(f"The search engine answers {exc.status_code}: {exc.message}") from exc
            raise IndexRefused(exc.code or str(exc.status_code), exc.message) from exc
        except (MeilisearchError, requests.RequestException, ValueError) as exc:
            # ValueError: an answer that is not Meilisearch's, as from a proxy or another server.
            raise EngineAway("The search engine does not answer.") from exc


def _words(text: str) -> str:
    """The words alone. To the engine a dash before a word means "without", and quotes a phrase; to who
    types "Daft Punk -One More Time" they mean nothing, and on Postgres nothing either."""
    return " ".join(_WORD.findall(text))


def _parameters(question: Question) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "filter": meilisearch_filter(question.filter),
        "limit": question.limit,
        "offset": question.offset,
        "attributesToRetrieve": ["username", "track_id"],
        # Every word must be there, as on Postgres; the default drops words until something is found.
        "matchingStrategy": "all",
    }
    newest_first = question.sort is Sort.RELEVANCE and not question.text
    if sort := SORTS.get(Sort.ADDED if newest_first else question.sort):
        way = "desc" if newest_first or question.descending else "asc"
        parameters["sort"] = [f"{sort}:{way}", f"id:{way}"]
    if question.facets:
        parameters["facets"] = [FACETS[facet] for facet in question.facets]
    if question.highlight:
        parameters |= {
            "attributesToHighlight": list(HIGHLIGHTED),
            "highlightPreTag": _MARK,
            "highlightPostTag": _END,
        }
    return parameters


def _answer(question: Question, found: Mapping[str, Any]) -> Answer:
    keys: list[TrackKey] = [(hit["username"], hit["track_id"]) for hit in found["hits"]]
    counted = found.get("facetDistribution") or {}
    return Answer(
        keys=keys,
        total=found["estimatedTotalHits"],
        facets={facet: counted.get(FACETS[facet], {}) for facet in question.facets},
        highlights={
            key: Highlighted(**{name: _safe(hit["_formatted"].get(name) or "") for name in HIGHLIGHTED})
            for key, hit in zip(keys, found["hits"], strict=True)
            if question.highlight
        },
    )


def _safe(marked: str) -> str:
    """Escaped HTML with whole words marked, where the engine may mark only how they begin."""
    whole = re.sub(rf"{_END}([^\W_]+)", rf"\1{_END}", marked)
    return html.escape(whole).replace(_MARK, "<em>").replace(_END, "</em>")
