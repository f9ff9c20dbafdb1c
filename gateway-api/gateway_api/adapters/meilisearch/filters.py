"""Filter terms as Meilisearch's filter: a list of what must hold, in each of which one part must."""

from gateway_api.adapters.meilisearch.form import encode
from gateway_api.terms import Attribute, Between, Filter, Is, Known, Not, OneOf, Term

_ENCODED = {Attribute.OWNER, Attribute.TRACK}
_LISTS = {Attribute.GENRE, Attribute.STYLE, Attribute.TAG, Attribute.PLAYLIST, Attribute.SESSION}


def meilisearch_filter(clauses: Filter) -> list[list[str]]:
    return [[_condition(term) for term in clause] for clause in clauses]


def _condition(term: Term) -> str:
    match term:
        case Not(inner):
            return f"NOT ({_condition(inner)})"
        case Is(attribute, yes):
            return f"{attribute} = {'true' if yes else 'false'}"
        case Known(attribute):
            return f"{attribute} EXISTS" + (f" AND {attribute} IS NOT EMPTY" if attribute in _LISTS else "")
        case Between(attribute, None, None):
            return f"{attribute} EXISTS"
        case Between(attribute, low, None):
            return f"{attribute} >= {low!r}"
        case Between(attribute, None, high):
            return f"{attribute} <= {high!r}"
        case Between(attribute, low, high):
            return f"{attribute} {low!r} TO {high!r}"
        case OneOf(attribute, values):
            return f"{attribute} IN [{', '.join(_value(attribute, value) for value in values)}]"


def _value(attribute: Attribute, value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    return quoted(encode(value) if attribute in _ENCODED else value)


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
