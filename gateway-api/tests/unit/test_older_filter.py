"""The filter text of older callers, as typed terms."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dj_servicekit.errors import Malformed
from gateway_api.features.search.older_filter import read_older_filter
from gateway_api.features.tracks.conditions import sql_conditions
from gateway_api.terms import Attribute, Between, Filter, Is, Known, Not, OneOf

AM, BPM = OneOf(Attribute.KEY, ("A minor",)), Between(Attribute.BPM, 120, 126)
RATED = Between(Attribute.RATING, 4, None)


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("", ()),
        ("bpm 120 TO 126", ((BPM,),)),
        ('bpm >= 120 AND key = "A minor"', ((Between(Attribute.BPM, 120, None),), (AM,))),
        ("key = '8A' OR star_rating >= 4", ((AM, RATED),)),
        ("key IN [Am]", ((AM,),)),
        ("bpm > 120", ((Between(Attribute.BPM, math.nextafter(120, 999), None),),)),
        ("year = 1999", ((Between(Attribute.YEAR, 1999, 1999),),)),
        ("local_audio_url EXISTS", ((Is(Attribute.AUDIO, yes=True),),)),
        ("local_audio_url IS NULL", ((Not(Is(Attribute.AUDIO, yes=True)),),)),
        ("key IS NOT NULL", ((Known(Attribute.KEY),),)),
        ("key != Am", ((Not(AM),),)),
        ("NOT NOT key = Am", ((AM,),)),
        # Of a conjunction inside a disjunction, and the other way round.
        ("key = Am OR (bpm 120 TO 126 AND star_rating >= 4)", ((AM, BPM), (AM, RATED))),
        ("NOT (key = Am OR star_rating >= 4)", ((Not(AM),), (Not(RATED),))),
        ("NOT (key = Am AND star_rating >= 4)", ((Not(AM), Not(RATED)),)),
        ('["bpm 120 TO 126", ["key = Am", "star_rating >= 4"]]', ((BPM,), (AM, RATED))),
        ('artist = "She said \\"no\\""', ((OneOf(Attribute.ARTIST, ('She said "no"',)),),)),
    ],
)
def test_what_older_callers_send_is_understood(text: str, clauses: Filter) -> None:
    assert read_older_filter(text) == clauses


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("tempo > 120", "'tempo' cannot be filtered by"),
        ("bpm > fast", "bpm is compared with a number"),
        ("bpm = nan", "bpm is compared with a number"),
        ("key > Am", "key can be = or IN, not >"),
        ("key = H", "not a musical key"),
        ("bpm >", "a value is missing before the end"),
        ("(bpm > 1", "\\) is missing before the end"),
        ("bpm > 1 bpm", "'bpm' is not expected here"),
        ("key IN []", "can match nothing"),
        ('key = "A', "is not understood"),
        ("[1]", "a list holds texts"),
        ("[", "is no JSON"),
        ("(" * 100 + "bpm=1" + ")" * 100, "nested deeper"),
        (" OR ".join(["(bpm=1 AND bpm=2)"] * 20), "more than can be worked out"),
    ],
)
def test_what_is_not_understood_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(Malformed, match=sentence):
        read_older_filter(text)


_PARTS = ["bpm", "key", "=", "!=", ">", "AND", "OR", "NOT", "(", ")", "[", "]", ",", "IN", "TO", "IS", "NULL"]


@given(st.lists(st.sampled_from([*_PARTS, "EXISTS", "120", "Am", '"x"', "'", "genres"]), max_size=12))
def test_no_text_makes_it_fail_otherwise_or_reaches_the_sql(parts: list[str]) -> None:
    try:
        conditions, parameters = sql_conditions(read_older_filter(" ".join(parts)))
    except Malformed:
        return
    assert all("Am" not in condition and '"x"' not in condition for condition in conditions)
    assert all(f"%({name})s" in " ".join(conditions) for name in parameters)
