"""A stand-in for a Meilisearch server: its HTTP API as documented for v1.12, with a small engine behind.

It is strict, so that what passes here is what the documents allow: an unknown parameter, a wrong type, a
filter on an attribute that was not declared filterable, an id with a forbidden letter are the errors that
Meilisearch names, with its status and code. Tasks are done one after the other, later than they are
taken, as there. Run as a program it serves until it is ended: ``meilisearch.py PORT KEY``.
"""

import itertools
import json
import re
import sys
import threading
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Document = dict[str, Any]

_INDEX_UID = re.compile(r"[A-Za-z0-9_-]{1,400}")
_DOCUMENT_ID = re.compile(r"[A-Za-z0-9_-]{1,511}")
_WORD = re.compile(r"[^\W_]+")
_DEFAULTS: dict[str, Any] = {
    "displayedAttributes": ["*"],
    "searchableAttributes": ["*"],
    "filterableAttributes": [],
    "sortableAttributes": [],
    "rankingRules": ["words", "typo", "proximity", "attribute", "sort", "exactness"],
    "stopWords": [],
    "synonyms": {},
    "distinctAttribute": None,
    "typoTolerance": {
        "enabled": True,
        "minWordSizeForTypos": {"oneTypo": 5, "twoTypos": 9},
        "disableOnWords": [],
        "disableOnAttributes": [],
    },
    "faceting": {"maxValuesPerFacet": 100, "sortFacetValuesBy": {"*": "alpha"}},
    "pagination": {"maxTotalHits": 1000},
}
_RULES = {"words", "typo", "proximity", "attribute", "sort", "exactness"}
_SEARCH: dict[str, Any] = {
    "q": str,
    "offset": int,
    "limit": int,
    "filter": (str, list),
    "facets": list,
    "sort": list,
    "attributesToRetrieve": list,
    "attributesToHighlight": list,
    "highlightPreTag": str,
    "highlightPostTag": str,
    "matchingStrategy": str,
    "showMatchesPosition": bool,
    "showRankingScore": bool,
}


class Refusal(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def body(self) -> Document:
        link = f"https://docs.meilisearch.com/errors#{self.code}"
        return {"message": self.message, "code": self.code, "type": "invalid_request", "link": link}


@dataclass
class Index:
    primary_key: str | None
    settings: Document = field(default_factory=lambda: json.loads(json.dumps(_DEFAULTS)))
    documents: dict[str, Document] = field(default_factory=dict)


def folded(text: str) -> str:
    """As facet values and words are compared: decomposed and lower-case."""
    return unicodedata.normalize("NFKD", text.strip()).lower()


def words_of(text: str) -> list[str]:
    plain = "".join(letter for letter in folded(text) if not unicodedata.combining(letter))
    return _WORD.findall(plain)


def typos_between(typed: str, other: str) -> int:
    """Optimal string alignment, by recursion over the two ends; a wrong first letter counts twice."""
    known: dict[tuple[int, int], int] = {}

    def distance(i: int, j: int) -> int:
        if i == 0 or j == 0:
            return i + j
        if (i, j) not in known:
            best = min(
                distance(i - 1, j) + 1,
                distance(i, j - 1) + 1,
                distance(i - 1, j - 1) + (typed[i - 1] != other[j - 1]),
            )
            if i > 1 and j > 1 and typed[i - 1] == other[j - 2] and typed[i - 2] == other[j - 1]:
                best = min(best, distance(i - 2, j - 2) + 1)
            known[i, j] = best
        return known[i, j]

    return distance(len(typed), len(other)) + (typed[:1] != other[:1])


class FilterReader:
    """Meilisearch's filter language, as a test of a document; refuses undeclared attributes."""

    _TOKEN = re.compile(
        r"""\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|!=|>=|<=|[=<>()\[\],]|[^\s"'=<>!()\[\],]+)"""
    )

    def __init__(self, text: str, filterable: list[str], code: str) -> None:
        self.tokens = self._TOKEN.findall(text)
        if "".join(self.tokens).replace(" ", "") != re.sub(r"\s", "", text) and '"' not in text:
            raise Refusal(400, code, f"cannot read the filter {text!r}")
        self.filterable, self.code = filterable, code

    def read(self) -> Callable[[Document], bool]:
        test = self._or()
        if self.tokens:
            raise self._wrong(f"Found unexpected characters at the end of the filter: `{self.tokens[0]}`")
        return test

    def _wrong(self, message: str) -> Refusal:
        return Refusal(400, self.code, message)

    def _take(self, *wanted: str) -> bool:
        if self.tokens and self.tokens[0] in wanted:
            self.tokens.pop(0)
            return True
        return False

    def _must(self, wanted: str) -> None:
        if not self._take(wanted):
            raise self._wrong(f"Was expecting `{wanted}`")

    def _or(self) -> Callable[[Document], bool]:
        tests = [self._and()]
        while self._take("OR"):
            tests.append(self._and())
        return lambda document: any(test(document) for test in tests)

    def _and(self) -> Callable[[Document], bool]:
        tests = [self._not()]
        while self._take("AND"):
            tests.append(self._not())
        return lambda document: all(test(document) for test in tests)

    def _not(self) -> Callable[[Document], bool]:
        if self._take("NOT"):
            inner = self._not()
            return lambda document: not inner(document)
        if self._take("("):
            inner = self._or()
            self._must(")")
            return inner
        return self._condition()

    def _value(self) -> str:
        if not self.tokens:
            raise self._wrong("Was expecting a value")
        token: str = self.tokens.pop(0)
        return re.sub(r"\\(.)", r"\1", token[1:-1]) if token[0] in "\"'" else token

    def _number(self) -> float:
        value = self._value()
        try:
            return float(value)
        except ValueError as exc:
            raise self._wrong(f"`{value}` is not a number") from exc

    def _condition(self) -> Callable[[Document], bool]:
        name = self._value()
        if name not in self.filterable:
            there = ", ".join(self.filterable)
            raise self._wrong(
                f"Attribute `{name}` is not filterable. Available filterable attributes are: `{there}`."
            )
        if self._take("EXISTS"):
            return lambda document: name in document
        if self._take("IS"):
            negated = self._take("NOT")
            empty = self._take("EMPTY")
            if not empty:
                self._must("NULL")

            def nothing(document: Document) -> bool:
                return (document.get(name) in ("", [], {})) if empty else document.get(name, 0) is None

            return (lambda document: name in document and not nothing(document)) if negated else nothing
        if self._take("IN"):
            self._must("[")
            wanted = []
            while not self._take("]"):
                wanted.append(self._value())
                self._take(",")
            return lambda document: any(equal(document, name, value) for value in wanted)
        for sign, holds in (
            (">=", float.__ge__),
            ("<=", float.__le__),
            (">", float.__gt__),
            ("<", float.__lt__),
        ):
            if self._take(sign):
                bound = self._number()
                return lambda document: any(holds(one, bound) for one in numbers(document, name))
        if self._take("="):
            value = self._value()
            return lambda document: equal(document, name, value)
        if self._take("!="):
            value = self._value()
            return lambda document: not equal(document, name, value)
        low = self._number()
        self._must("TO")
        high = self._number()
        return lambda document: any(low <= one <= high for one in numbers(document, name))


def either(tests: list[Callable[[Document], bool]]) -> Callable[[Document], bool]:
    return lambda document: any(test(document) for test in tests)


def values(document: Document, name: str) -> list[Any]:
    value = document.get(name)
    return value if isinstance(value, list) else [] if value is None else [value]


def numbers(document: Document, name: str) -> list[float]:
    return [
        float(one)
        for one in values(document, name)
        if isinstance(one, int | float) and not isinstance(one, bool)
    ]


def equal(document: Document, name: str, wanted: str) -> bool:
    for one in values(document, name):
        if isinstance(one, bool):
            if str(one).lower() == wanted.lower():
                return True
        elif isinstance(one, str):
            if folded(one) == folded(wanted):
                return True
        else:
            try:
                if float(wanted) == one:
                    return True
            except ValueError:
                continue
    return False


class Search:
    """One search request, checked and answered."""

    def __init__(self, index: Index, body: Document) -> None:
        self.settings, self.body = index.settings, body
        for name, value in body.items():
            if name not in _SEARCH:
                raise Refusal(400, "bad_request", f"Unknown field `{name}`")
            if not isinstance(value, _SEARCH[name]) or (isinstance(value, bool) and _SEARCH[name] is int):
                code = re.sub(r"([A-Z])", lambda match: "_" + match[1].lower(), f"invalid_search_{name}")
                raise Refusal(400, code, f"Invalid value type at `.{name}`")
        self.test = self._filter()
        self.sort = [self._sort_rule(one) for one in body.get("sort", [])]
        for facet in body.get("facets", []):
            if facet not in self.settings["filterableAttributes"]:
                raise Refusal(400, "invalid_search_facets", f"Attribute `{facet}` is not filterable.")
        if body.get("matchingStrategy", "last") not in ("last", "all", "frequency"):
            raise Refusal(400, "invalid_search_matching_strategy", "Unknown value at `.matchingStrategy`")
        asked = body.get("q") or ""
        self.without = words_of(" ".join(re.findall(r"(?<!\S)-(\w+)", asked)))
        self.words = words_of(re.sub(r"(?<!\S)-\w+", " ", asked))[:10]
        self.open_end = bool(self.words) and not str(body.get("q")).endswith(" ")
        self.attributes = [name for name in self.settings["searchableAttributes"] if name != "*"]

    def _filter(self) -> Callable[[Document], bool]:
        asked = self.body.get("filter") or []
        groups = [asked] if isinstance(asked, str) else asked
        tests = []
        for group in groups:
            alternatives = [group] if isinstance(group, str) else group
            if not isinstance(alternatives, list) or not all(isinstance(one, str) for one in alternatives):
                raise Refusal(400, "invalid_search_filter", "The filter array is nested too deep.")
            readers = [
                FilterReader(one, self.settings["filterableAttributes"], "invalid_search_filter").read()
                for one in alternatives
            ]
            tests.append(either(readers))
        return lambda document: all(test(document) for test in tests)

    def _sort_rule(self, text: str) -> tuple[str, bool]:
        name, _, way = text.rpartition(":")
        if way not in ("asc", "desc"):
            raise Refusal(400, "invalid_search_sort", f"Invalid syntax for the sort parameter: `{text}`.")
        if name not in self.settings["sortableAttributes"]:
            raise Refusal(400, "invalid_search_sort", f"Attribute `{name}` is not sortable.")
        if "sort" not in self.settings["rankingRules"]:
            raise Refusal(
                400, "invalid_search_sort", "The sort ranking rule must be specified in the ranking rules"
            )
        return name, way == "desc"

    def answer(self, documents: list[Document]) -> Document:
        matched = [(rank, document) for document in documents if (rank := self._rank(document)) is not None]
        matched.sort(key=lambda pair: pair[0])
        total = min(len(matched), self.settings["pagination"]["maxTotalHits"])
        offset, limit = self.body.get("offset", 0), self.body.get("limit", 20)
        found: Document = {
            "hits": [self._shown(document) for _, document in matched[:total][offset : offset + limit]],
            "query": self.body.get("q", ""),
            "processingTimeMs": 1,
            "limit": limit,
            "offset": offset,
            "estimatedTotalHits": total,
        }
        if "facets" in self.body:
            found["facetDistribution"] = {
                facet: self._counted(facet, [document for _, document in matched])
                for facet in self.body["facets"]
            }
            found["facetStats"] = {}
        return found

    def _counted(self, facet: str, documents: list[Document]) -> dict[str, int]:
        spelled: dict[str, str] = {}
        counts: Counter[str] = Counter()
        for document in documents:
            for key in {folded(str(one)): str(one) for one in values(document, facet)}.items():
                spelled.setdefault(*key)
                counts[key[0]] += 1
        by_count = self.settings["faceting"]["sortFacetValuesBy"].get("*") == "count"
        ordered = sorted(counts, key=lambda key: (-counts[key], key) if by_count else (0, key))
        return {
            spelled[key]: counts[key] for key in ordered[: self.settings["faceting"]["maxValuesPerFacet"]]
        }

    def _matches(self, document: Document) -> list[tuple[int, int, int, str]] | None:
        """Of each word of the query: (typos, attribute, position, the word that stands there)."""
        standing = [
            (place, position, word)
            for place, name in enumerate(self.attributes)
            for position, word in enumerate(words_of(" ".join(map(str, values(document, name)))))
        ]
        if any(word in self.without for _, _, word in standing):
            return None
        found = []
        for number, typed in enumerate(self.words):
            prefix = self.open_end and number == len(self.words) - 1
            options = [
                (typos, place, position, word)
                for place, position, word in standing
                if (typos := self._typos(typed, word, prefix)) is not None
            ]
            if not options:
                return None
            found.append(min(options))
        return found

    def _typos(self, typed: str, word: str, prefix: bool) -> int | None:
        if typed == word or (prefix and word.startswith(typed)):
            return 0
        tolerance = self.settings["typoTolerance"]
        sizes = tolerance["minWordSizeForTypos"]
        allowed = (len(typed) >= sizes["oneTypo"]) + (len(typed) >= sizes["twoTypos"])
        if not tolerance["enabled"] or not allowed:
            return None
        ends = range(max(1, len(typed) - 2), min(len(word), len(typed) + 2) + 1) if prefix else [len(word)]
        near = [typos_between(typed, word[:end]) for end in ends if abs(end - len(typed)) <= 2]
        return min(near) if near and min(near) <= allowed else None

    def _rank(self, document: Document) -> tuple[Any, ...] | None:
        if not self.test(document) or (matches := self._matches(document)) is None:
            return None
        rank: list[Any] = []
        for rule in self.settings["rankingRules"]:
            if rule == "sort":
                rank += [order(document, name, down) for name, down in self.sort]
            elif rule == "typo":
                rank.append(sum(match[0] for match in matches))
            elif rule == "proximity":
                places = [match[1] * 100 + match[2] for match in matches]
                rank.append(sum(min(abs(b - a), 8) for a, b in itertools.pairwise(places)))
            elif rule == "attribute":
                rank.append(sum(match[1] for match in matches))
            elif rule == "exactness":
                rank.append(-sum(match[3] in self.words for match in matches))
            elif rule.endswith((":asc", ":desc")):
                rank.append(order(document, rule.rpartition(":")[0], rule.endswith(":desc")))
        return tuple(rank)

    def _shown(self, document: Document) -> Document:
        wanted = self.body.get("attributesToRetrieve", ["*"])
        hit = {name: value for name, value in document.items() if "*" in wanted or name in wanted}
        if marked := self.body.get("attributesToHighlight"):
            hit["_formatted"] = {name: str(value) for name, value in hit.items()} | {
                name: self._marked(str(document[name])) for name in marked if name in document
            }
        return hit

    def _marked(self, text: str) -> str:
        before = self.body.get("highlightPreTag", "<em>")
        after = self.body.get("highlightPostTag", "</em>")

        def mark(match: re.Match[str]) -> str:
            plain = words_of(match[0])
            for number, typed in enumerate(self.words):
                prefix = self.open_end and number == len(self.words) - 1
                if plain and prefix and plain[0].startswith(typed) and len(plain[0]) == len(match[0]):
                    return f"{before}{match[0][: len(typed)]}{after}{match[0][len(typed) :]}"
                if plain and self._typos(typed, plain[0], prefix) is not None:
                    return f"{before}{match[0]}{after}"
            return match[0]

        return _WORD.sub(mark, text)


class Order:
    """A value in a sort, in either direction."""

    def __init__(self, value: Any, down: bool) -> None:
        self.value, self.down = value, down

    def __lt__(self, other: "Order") -> bool:
        return bool(self.value > other.value if self.down else self.value < other.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Order) and self.value == other.value

    __hash__ = None  # type: ignore[assignment]  # never a key


def order(document: Document, name: str, down: bool) -> tuple[Any, ...]:
    """Documents without the attribute come last either way; numbers before texts."""
    value = document.get(name)
    if value is None:
        return (1,)
    return (
        (0, 0, Order(value, down)) if isinstance(value, int | float) else (0, 1, Order(folded(value), down))
    )


class StandIn:
    """The server: indexes, a queue of tasks, and switches for what can go wrong."""

    def __init__(self, key: str | None = None, port: int = 0) -> None:
        self.key = key
        self.indexes: dict[str, Index] = {}
        self.tasks: list[Document] = []
        self.requests: list[str] = []
        self.failing: int | None = None
        self.poison: Callable[[Document], bool] = lambda _document: False
        self._work: list[tuple[Document, Callable[[], None]]] = []
        self._changed = threading.Condition()
        self._paused = False
        self._ended = False
        stand_in = self

        class Handler(_Handler):
            server_of_tests = stand_in

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._threads = [
            threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}),
            threading.Thread(target=self._do_tasks),
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._server.shutdown()
        self._server.server_close()
        for thread in self._threads:
            thread.join()

    def pause(self) -> None:
        """Take tasks, and leave them."""
        self._paused = True

    def resume(self) -> None:
        with self._changed:
            self._paused = False
            self._changed.notify_all()

    def enqueue(self, kind: str, uid: str | None, work: Callable[[], None]) -> Document:
        with self._changed:
            task = {
                "uid": len(self.tasks),
                "indexUid": uid,
                "status": "enqueued",
                "type": kind,
                "enqueuedAt": now(),
                "error": None,
            }
            self.tasks.append(task)
            self._work.append((task, work))
            self._changed.notify_all()
        return {
            "taskUid": task["uid"],
            **{name: task[name] for name in ("indexUid", "status", "type", "enqueuedAt")},
        }

    def _do_tasks(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ended or (self._work and not self._paused))
                if self._ended:
                    return
                task, work = self._work.pop(0)
                task["status"] = "processing"
            try:
                work()
            except Refusal as exc:
                task |= {"status": "failed", "error": exc.body(), "finishedAt": now()}
            else:
                task |= {"status": "succeeded", "finishedAt": now()}

    def index(self, uid: str) -> Index:
        if uid not in self.indexes:
            raise Refusal(404, "index_not_found", f"Index `{uid}` not found.")
        return self.indexes[uid]

    # What the paths do. Each takes the body and answers (status, body).

    def make_index(self, body: Document) -> Document:
        if set(body) - {"uid", "primaryKey"} or not _INDEX_UID.fullmatch(str(body.get("uid"))):
            raise Refusal(400, "invalid_index_uid", "The index uid is not valid.")

        def work() -> None:
            if body["uid"] in self.indexes:
                raise Refusal(409, "index_already_exists", f"Index `{body['uid']}` already exists.")
            self.indexes[body["uid"]] = Index(body.get("primaryKey"))

        return self.enqueue("indexCreation", body["uid"], work)

    def drop_index(self, uid: str) -> Document:
        def work() -> None:
            self.index(uid)
            del self.indexes[uid]

        return self.enqueue("indexDeletion", uid, work)

    def change_settings(self, uid: str, body: Document) -> Document:
        for name, value in body.items():
            if name not in _DEFAULTS:
                raise Refusal(400, "bad_request", f"Unknown field `{name}`")
            wanted = type(_DEFAULTS[name])
            if value is not None and not isinstance(value, wanted):
                code = re.sub(r"([A-Z])", lambda match: "_" + match[1].lower(), f"invalid_settings_{name}")
                raise Refusal(400, code, f"Invalid value type at `.{name}`")
            if isinstance(value, list) and not all(isinstance(one, str) for one in value):
                raise Refusal(400, f"invalid_settings_{name}", f"Invalid value type at `.{name}[0]`")
            if isinstance(value, dict) and (unknown := set(value) - set(_DEFAULTS[name] or value)):
                raise Refusal(400, "bad_request", f"Unknown field `{unknown.pop()}` inside `.{name}`")
        for rule in body.get("rankingRules", []):
            if rule not in _RULES and not re.fullmatch(r"[\w.]+:(asc|desc)", rule):
                raise Refusal(400, "invalid_settings_ranking_rules", f"`{rule}` ranking rule is invalid.")

        def work() -> None:
            settings = self.indexes.setdefault(uid, Index(None)).settings
            for name, value in body.items():
                settings[name] = settings[name] | value if isinstance(value, dict) else value

        return self.enqueue("settingsUpdate", uid, work)

    def put_documents(self, uid: str, body: Any, query: dict[str, list[str]]) -> Document:
        if unknown := set(query) - {"primaryKey", "csvDelimiter"}:
            raise Refusal(400, "bad_request", f"Unknown parameter `{unknown.pop()}`")
        documents = body if isinstance(body, list) else [body]
        key = query.get("primaryKey", [""])[0]
        if not all(isinstance(one, dict) for one in documents):
            raise Refusal(400, "malformed_payload", "The `json` payload provided is malformed.")

        def work() -> None:
            index = self.indexes.setdefault(uid, Index(key or None))
            index.primary_key = index.primary_key or key or "id"
            for one in documents:
                if index.primary_key not in one:
                    raise Refusal(
                        400, "missing_document_id", "Document doesn't have a primary key attribute."
                    )
                if not _DOCUMENT_ID.fullmatch(str(one[index.primary_key])) or self.poison(one):
                    raise Refusal(400, "invalid_document_id", "Document identifier is invalid.")
            for one in documents:
                index.documents[str(one[index.primary_key])] = one

        return self.enqueue("documentAdditionOrUpdate", uid, work)

    def delete_documents(self, uid: str, body: Document) -> Document:
        if set(body) != {"filter"}:
            raise Refusal(400, "missing_document_filter", "Missing field `filter`")

        def work() -> None:
            index = self.index(uid)
            filterable = index.settings["filterableAttributes"]
            test = FilterReader(body["filter"], filterable, "invalid_document_filter").read()
            for name in [name for name, one in index.documents.items() if test(one)]:
                del index.documents[name]

        return self.enqueue("documentDeletion", uid, work)

    def swap(self, body: Any) -> Document:
        pairs = [tuple(one["indexes"]) for one in body]
        if any(len(set(pair)) != 2 for pair in pairs) or any(set(one) - {"indexes"} for one in body):
            raise Refusal(400, "invalid_swap_indexes", "Two indexes must be given for each swap.")

        def work() -> None:
            for a, b in pairs:
                self.index(a)
                self.index(b)
                self.indexes[a], self.indexes[b] = self.indexes[b], self.indexes[a]

        return self.enqueue("indexSwap", None, work)


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class _Handler(BaseHTTPRequestHandler):
    server_of_tests: StandIn
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing: the tests say what they need to know."""

    def _answer(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server_of_tests.requests.append(f"{self.command} {self.path}")
        try:
            self._check_access()
            status, answer = self._route(self._body(raw))
        except Refusal as exc:
            status, answer = exc.status, exc.body()
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _check_access(self) -> None:
        server, given = self.server_of_tests, self.headers.get("authorization", "")
        if server.failing is not None:
            raise Refusal(server.failing, "internal", "Switched to fail.")
        if server.key is not None and not given:
            raise Refusal(401, "missing_authorization_header", "The Authorization header is missing.")
        if server.key is not None and given != f"Bearer {server.key}":
            raise Refusal(403, "invalid_api_key", "The provided API key is invalid.")

    def _body(self, raw: bytes) -> Any:
        if self.command not in ("POST", "PATCH", "PUT"):
            return None
        if self.headers.get("content-type") != "application/json":
            raise Refusal(415, "missing_content_type", "A Content-Type header is missing.")
        try:
            return json.loads(raw)
        except ValueError as exc:
            raise Refusal(400, "malformed_payload", "The payload is malformed.") from exc

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer  # noqa: N815 - the base class's names

    def _route(self, body: Any) -> tuple[int, Any]:
        server, url = self.server_of_tests, urlsplit(self.path)
        parts = [part for part in url.path.split("/") if part]
        match (self.command, *parts):
            case ("GET", "health"):
                return 200, {"status": "available"}
            case ("GET", "version"):
                return 200, {"pkgVersion": "1.12.0", "commitSha": "", "commitDate": ""}
            case ("GET", "tasks", uid):
                if not uid.isdigit() or int(uid) >= len(server.tasks):
                    raise Refusal(404, "task_not_found", f"Task `{uid}` not found.")
                return 200, server.tasks[int(uid)]
            case ("POST", "indexes"):
                return 202, server.make_index(body)
            case ("GET", "indexes", uid):
                key = server.index(uid).primary_key
                return 200, {"uid": uid, "primaryKey": key, "createdAt": now(), "updatedAt": now()}
            case ("DELETE", "indexes", uid):
                return 202, server.drop_index(uid)
            case ("PATCH", "indexes", uid, "settings"):
                return 202, server.change_settings(uid, body)
            case ("GET", "indexes", uid, "settings"):
                return 200, server.index(uid).settings
            case ("POST", "indexes", uid, "documents"):
                return 202, server.put_documents(uid, body, parse_qs(url.query))
            case ("GET", "indexes", uid, "documents", name):
                if name not in server.index(uid).documents:
                    raise Refusal(404, "document_not_found", f"Document `{name}` not found.")
                return 200, server.index(uid).documents[name]
            case ("POST", "indexes", uid, "documents", "delete"):
                return 202, server.delete_documents(uid, body)
            case ("POST", "swap-indexes"):
                return 202, server.swap(body)
            case ("POST", "indexes", uid, "search"):
                index = server.index(uid)
                return 200, Search(index, body).answer(list(index.documents.values()))
        raise Refusal(404, "not_found", "There is nothing at this path.")


def running(key: str | None = None) -> Iterator[StandIn]:
    server = StandIn(key)
    try:
        yield server
    finally:
        server.close()


if __name__ == "__main__":
    StandIn(sys.argv[2], int(sys.argv[1]))
    while True:
        time.sleep(3600)
