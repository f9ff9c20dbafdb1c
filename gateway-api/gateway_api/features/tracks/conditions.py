"""Filter terms as SQL conditions over ``tracks t``: text from here alone, and every value a parameter."""

from typing import Any

from gateway_api.terms import FOLDED, Attribute, Between, Filter, Is, Known, Not, OneOf, Term

_COLUMNS = {
    Attribute.OWNER: "t.username",
    Attribute.TRACK: "t.track_id",
    Attribute.BPM: "t.bpm",
    Attribute.KEY: "t.key",
    Attribute.RATING: "t.star_rating",
    Attribute.YEAR: "t.year",
    Attribute.ENERGY: "t.energy",
    Attribute.DANCEABILITY: "t.danceability",
    Attribute.MOOD_HAPPY: "t.mood_happy",
    Attribute.MOOD_SAD: "t.mood_sad",
    Attribute.MOOD_RELAXED: "t.mood_relaxed",
    Attribute.MOOD_AGGRESSIVE: "t.mood_aggressive",
    Attribute.GENRE: "t.genre_words",
    Attribute.STYLE: "t.style_words",
    Attribute.TAG: "t.tag_words",
    Attribute.ARTIST: "dj_fold(t.artist)",
    Attribute.ALBUM: "dj_fold(t.album)",
    Attribute.SHELF: "dj_fold(t.library_identifier)",
    Attribute.RELEASE: "dj_fold(t.release_id)",
    Attribute.AUDIO: "t.audio_path",
    Attribute.ANALYZED: "t.analyzed_at",
    Attribute.ADDED: "t.created_at",
    Attribute.PLAYED: """(
        select max(p.played_at) from plays p where p.username = t.username and p.track_id = t.track_id
    )""",
}
_MOMENTS = {Attribute.ADDED, Attribute.PLAYED}
_MANY = {Attribute.GENRE, Attribute.STYLE, Attribute.TAG}
_ELSEWHERE = {
    Attribute.PLAYLIST: ("playlist_tracks", "playlist_id"),
    Attribute.SESSION: ("plays", "session_id"),
}


def sql_conditions(clauses: Filter) -> tuple[list[str], dict[str, Any]]:
    """One condition a clause, and the parameters that they name."""
    parameters: dict[str, Any] = {}
    conditions = []
    for clause in clauses:
        terms = [_condition(term, parameters) for term in clause]
        conditions.append(terms[0] if len(terms) == 1 else f"({' or '.join(terms)})")
    return conditions, parameters


def _condition(term: Term, parameters: dict[str, Any]) -> str:
    match term:
        case Not(inner):
            return f"({_condition(inner, parameters)}) is not true"
        case Is(attribute, yes):
            return f"{_COLUMNS[attribute]} is {'not null' if yes else 'null'}"
        case Known(attribute) if attribute in _ELSEWHERE:
            return _elsewhere(attribute, "is not null")
        case Known(attribute) if attribute in _MANY:
            return f"{_COLUMNS[attribute]} <> '{{}}'"
        case Known(attribute):
            return f"{_COLUMNS[attribute]} is not null"
        case Between(attribute, low, high):
            return _between(attribute, low, high, parameters)
        case OneOf(attribute, values) if attribute in _ELSEWHERE:
            return _elsewhere(attribute, f"= any({_bound(list(values), parameters)}::bigint[])")
        case OneOf(attribute, values) if attribute in _MANY:
            return f"{_COLUMNS[attribute]} && dj_fold_all({_bound(list(values), parameters)})"
        case OneOf(attribute, values) if attribute in FOLDED:
            return f"{_COLUMNS[attribute]} = any(dj_fold_all({_bound(list(values), parameters)}))"
        case OneOf(attribute, (value,)):  # an equality can be answered in the order of an index
            return f"{_COLUMNS[attribute]} = {_bound(value, parameters)}"
        case OneOf(attribute, values):
            return f"{_COLUMNS[attribute]} = any({_bound(list(values), parameters)})"


def _elsewhere(attribute: Attribute, holds: str) -> str:
    table, column = _ELSEWHERE[attribute]
    return f"""exists (
        select from {table} o where o.username = t.username and o.track_id = t.track_id and o.{column} {holds}
    )"""


def _between(attribute: Attribute, low: float | None, high: float | None, parameters: dict[str, Any]) -> str:
    moment = "to_timestamp({})" if attribute in _MOMENTS else "{}"
    bounds = [
        f"{_COLUMNS[attribute]} {sign} {moment.format(_bound(float(value), parameters))}"
        for sign, value in ((">=", low), ("<=", high))
        if value is not None
    ]
    return f"({' and '.join(bounds)})" if bounds else "true"


def _bound(value: object, parameters: dict[str, Any]) -> str:
    name = f"f{len(parameters)}"
    parameters[name] = value
    return f"%({name})s"
