"""The ``filter=`` text of older callers, in Meilisearch's filter language, read into typed terms.

    bpm 120 TO 126 AND (key = "A minor" OR key = "8B") AND local_audio_url EXISTS

AND, OR, NOT and parentheses in any depth a person writes; the result is brought into the form of a
``Filter``, and no part of the text itself reaches an engine.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal

from dj_contracts.keys import Key
from dj_servicekit.errors import Malformed
from gateway_api.terms import Attribute, Between, Clause, Filter, Is, Known, Not, OneOf, Term

_NUMBERS = {
    name: Attribute(name)
    for name in (
        *("bpm", "star_rating", "year", "energy", "danceability"),
        *("mood_happy", "mood_sad", "mood_relaxed", "mood_aggressive"),
    )
}
_TEXTS = {
    "username": Attribute.OWNER,
    "track_id": Attribute.TRACK,
    "key": Attribute.KEY,
    "genres": Attribute.GENRE,
    "styles": Attribute.STYLE,
    "local_tags": Attribute.TAG,
    "artist": Attribute.ARTIST,
    "album": Attribute.ALBUM,
    "library_identifier": Attribute.SHELF,
    "release_id": Attribute.RELEASE,
}
_FLAGS = {"local_audio_url": Attribute.AUDIO, "has_audio": Attribute.AUDIO, "analyzed_at": Attribute.ANALYZED}
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<sign>!=|>=|<=|[=<>()\[\],])"""
    r"""|(?P<word>[^\s"'=<>!()\[\],]+))"""
)
_KEYWORDS = {"AND", "OR", "NOT", "TO", "IN", "EXISTS", "IS", "NULL", "EMPTY"}
_DEEPEST, _MOST_CLAUSES = 30, 200
_STOP = "\x00end"


@dataclass(frozen=True)
class _Group:
    joined_by: Literal["AND", "OR"]
    parts: "tuple[_Node, ...]"


@dataclass(frozen=True)
class _Negated:
    part: "_Node"


_Node = Term | _Group | _Negated


def read_older_filter(text: str) -> Filter:
    """The clauses of a filter text; Malformed says which part is not understood."""
    if not text.strip():
        return ()
    node = _read_array(text) if text.lstrip().startswith("[") else _Reader(text).whole()
    return tuple(_conjunction(node, negated=False))


def _read_array(text: str) -> _Node:
    """Meilisearch's other form: a list of what must hold, in which a list holds if one part does."""
    try:
        parts = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise Malformed("filter: begins like a list of filters and is no JSON.") from exc
    if not all(
        isinstance(part, str) or (isinstance(part, list) and all(isinstance(one, str) for one in part))
        for part in parts
    ):
        raise Malformed("filter: a list holds texts, or lists of texts.")
    groups = [[part] if isinstance(part, str) else part for part in parts]
    return _Group(
        "AND",
        tuple(_Group("OR", tuple(_Reader(one).whole() for one in group)) for group in groups if group),
    )


def _conjunction(node: _Node, *, negated: bool) -> list[Clause]:
    """What must all hold for the node to hold (or, negated, not to)."""
    if isinstance(node, _Negated):
        return _conjunction(node.part, negated=not negated)
    if not isinstance(node, _Group):
        if isinstance(node, Not):
            return [(node.term,)] if negated else [(node,)]
        return [(Not(node),)] if negated else [(node,)]
    parts = [_conjunction(part, negated=negated) for part in node.parts]
    if (node.joined_by == "AND") is not negated:
        found = [clause for part in parts for clause in part]
    else:
        if math.prod(map(len, parts)) > _MOST_CLAUSES:
            raise Malformed("filter: this mixes AND and OR more than can be worked out. Make it shorter.")
        found = [tuple(term for clause in choice for term in clause) for choice in product(*parts)]
    if len(found) > _MOST_CLAUSES:
        raise Malformed("filter: this has more conditions than are taken. Make it shorter.")
    return found


class _Reader:
    """Reads one filter text from left to right."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._place = 0
        self._depth = 0

    def whole(self) -> _Node:
        node = self._either()
        if self._next() != _STOP:
            raise Malformed(f"filter: {self._tokens[self._place - 1]!r} is not expected here.")
        return node

    def _peek(self) -> str:
        return self._tokens[self._place]

    def _next(self) -> str:
        token = self._tokens[self._place]
        self._place = min(self._place + 1, len(self._tokens) - 1) if token == _STOP else self._place + 1
        return token

    def _took(self, *wanted: str) -> bool:
        if _bare(self._peek()) in wanted:
            self._next()
            return True
        return False

    def _either(self) -> _Node:
        parts = [self._all()]
        while self._took("OR"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else _Group("OR", tuple(parts))

    def _all(self) -> _Node:
        parts = [self._one()]
        while self._took("AND"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else _Group("AND", tuple(parts))

    def _one(self) -> _Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Malformed("filter: this is nested deeper than is taken. Make it shorter.")
        try:
            if self._took("NOT"):
                return _Negated(self._one())
            if self._took("("):
                node = self._either()
                self._must(")")
                return node
            return self._condition()
        finally:
            self._depth -= 1

    def _must(self, *wanted: str) -> None:
        if not self._took(*wanted):
            raise Malformed(f"filter: {wanted[0]} is missing before {_shown(self._peek())}.")

    def _value(self) -> str:
        token = self._next()
        if token == _STOP or _bare(token) in _KEYWORDS or token[0] in "=<>!()[],":
            raise Malformed(f"filter: a value is missing before {_shown(token)}.")
        return _unquoted(token)

    def _condition(self) -> _Node:
        name = self._value()
        if name not in _NUMBERS and name not in _TEXTS and name not in _FLAGS:
            known = ", ".join([*_NUMBERS, *_TEXTS, *_FLAGS])
            raise Malformed(f"filter: {name!r} cannot be filtered by. There are: {known}.")
        if self._took("NOT"):
            return _Negated(self._ending(name, "EXISTS" if self._took("EXISTS") else self._in()))
        if self._took("EXISTS"):
            return self._ending(name, "EXISTS")
        if self._took("IS"):
            negated = self._took("NOT")
            self._must("NULL", "EMPTY")
            there = self._ending(name, "EXISTS")
            return there if negated else _Negated(there)
        if _bare(self._peek()) == "IN":
            return self._ending(name, self._in())
        if (sign := self._peek()) in ("=", "!=", "<", "<=", ">", ">="):
            self._next()
            value = self._value()
            return _Negated(_term(name, "=", value)) if sign == "!=" else _term(name, sign, value)
        low = self._value()
        self._must("TO")
        return _term(name, "TO", low, self._value())

    def _in(self) -> list[str]:
        self._must("IN")
        self._must("[")
        values: list[str] = []
        while not self._took("]"):
            values.append(self._value())
            if not self._took(","):
                self._must("]")
                break
        return values

    def _ending(self, name: str, what: "Literal['EXISTS'] | list[str]") -> _Node:
        if what == "EXISTS":
            flag = _FLAGS.get(name)
            return Is(flag, yes=True) if flag else Known(_NUMBERS.get(name) or _TEXTS[name])
        if not what:
            raise Malformed(f"filter: {name} IN [] can match nothing. Name a value.")
        return _Group("OR", tuple(_term(name, "=", value) for value in what))


def _term(name: str, sign: str, *values: str) -> Term:
    if attribute := _NUMBERS.get(name):
        numbers = [_number(name, value) for value in values]
        match sign:
            case "TO":
                return Between(attribute, numbers[0], numbers[1])
            case "=":
                return Between(attribute, numbers[0], numbers[0])
            case ">" | ">=":
                return Between(attribute, numbers[0] if sign == ">=" else _beside(numbers[0], 1), None)
            case _:
                return Between(attribute, None, numbers[0] if sign == "<=" else _beside(numbers[0], -1))
    if sign != "=":
        raise Malformed(f"filter: {name} can be = or IN, not {sign}.")
    if flag := _FLAGS.get(name):
        if (value := values[0].lower()) not in ("true", "false"):
            raise Malformed(f"filter: {name} can be EXISTS, true or false.")
        return Is(flag, yes=value == "true")
    if name == "key":
        try:
            return OneOf(Attribute.KEY, (Key.parse(values[0]).name,))
        except ValueError as exc:
            raise Malformed(f"filter: {exc}") from exc
    return OneOf(_TEXTS[name], (values[0],))


def _beside(number: float, way: int) -> float:
    return math.nextafter(number, way * math.inf)


def _number(name: str, value: str) -> float:
    try:
        if math.isfinite(number := float(value)):
            return number
    except ValueError:
        pass
    raise Malformed(f"filter: {name} is compared with a number, not {value!r}.")


def _tokens(text: str) -> Iterator[str]:
    place = 0
    stripped = text.rstrip()
    while place < len(stripped):
        if (match := _TOKEN.match(stripped, place)) is None:
            raise Malformed(f"filter: {stripped[place : place + 20]!r} is not understood.")
        yield match.group("text") or match.group("sign") or match.group("word")
        place = match.end()
    yield _STOP


def _bare(token: str) -> str:
    """The token as a keyword or sign; a quoted text is neither."""
    return token.upper()


def _unquoted(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1], flags=re.DOTALL) if token[0] in "\"'" else token


def _shown(token: str) -> str:
    return "the end" if token == _STOP else repr(token)
