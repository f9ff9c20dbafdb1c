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
}
_MANY = {Attribute.GENRE, Attribute.STYLE, Attribute.TAG}
_IN_ANY_PLAYLIST = """exists (
    select from playlist_tracks pt where pt.username = t.username and pt.track_id = t.track_id
)"""
_IN_PLAYLIST = """exists (
    select from playlist_tracks pt
    where pt.username = t.username and pt.track_id = t.track_id and pt.playlist_id = any({values}::bigint[])
)"""


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
        case Known(Attribute.PLAYLIST):
            return _IN_ANY_PLAYLIST
        case Known(attribute) if attribute in _MANY:
            return f"{_COLUMNS[attribute]} <> '{{}}'"
        case Known(attribute):
            return f"{_COLUMNS[attribute]} is not null"
        case Between(attribute, low, high):
            return _between(attribute, low, high, parameters)
        case OneOf(Attribute.PLAYLIST, values):
            return _IN_PLAYLIST.format(values=_bound(list(values), parameters))
        case OneOf(attribute, values) if attribute in _MANY:
            return f"{_COLUMNS[attribute]} && dj_fold_all({_bound(list(values), parameters)})"
        case OneOf(attribute, values) if attribute in FOLDED:
            return f"{_COLUMNS[attribute]} = any(dj_fold_all({_bound(list(values), parameters)}))"
        case OneOf(attribute, (value,)):  # an equality can be answered in the order of an index
            return f"{_COLUMNS[attribute]} = {_bound(value, parameters)}"
        case OneOf(attribute, values):
            return f"{_COLUMNS[attribute]} = any({_bound(list(values), parameters)})"


def _between(attribute: Attribute, low: float | None, high: float | None, parameters: dict[str, Any]) -> str:
    moment = "to_timestamp({})" if attribute is Attribute.ADDED else "{}"
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
