"""``field:value`` inside a search text."""

import contextlib
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dj_servicekit.errors import Malformed
from gateway_api.features.search.shortcuts import read_shortcuts


@pytest.mark.parametrize(
    ("text", "words", "asked"),
    [
        (
            "bpm:120-126 key:8A~ house",
            "house",
            {"bpm_min": 120, "bpm_max": 126, "key_compatible": ["A minor"]},
        ),
        ("deep bpm:128 house", "deep house", {"bpm_min": 127.5, "bpm_max": 128.5}),
        ("bpm:87~", "", {"bpm_min": 86.5, "bpm_max": 87.5, "half_double": True}),
        ("bpm:120..126", "", {"bpm_min": 120, "bpm_max": 126}),
        ("tempo:>=120", "", {"bpm_min": 120}),
        ("bpm:-126", "", {"bpm_max": 126}),
        ("bpm:120+", "", {"bpm_min": 120}),
        ("key:8A,Bm~,F#", "", {"key": ["A minor", "F# major"], "key_compatible": ["B minor"]}),
        ("rating:4", "", {"rating_min": 4, "rating_max": 4}),
        ("rating:>3", "", {"rating_min": 4}),
        ("stars:<5", "", {"rating_max": 4}),
        ("year:1990s", "", {"year_min": 1990, "year_max": 1999}),
        ("year:1994", "", {"year_min": 1994, "year_max": 1994}),
        ('genre:"Folk, World, & Country" style:house,techno', "", {
            "genre": ["Folk, World, & Country"], "style": ["house", "techno"],
        }),
        ("genre:house genre:disco", "", {"genre": ["house", "disco"]}),
        ("energy:10", "", {"energy_min": 9.5, "energy_max": 10}),
        ("happy:0.8 sad:-0.2", "", {"mood_happy_min": 0.75, "mood_happy_max": 0.85, "mood_sad_max": 0.2}),
        ("has:audio is:analysed", "", {"has_audio": True, "analyzed": True}),
        ("no:audio not:analyzed", "", {"has_audio": False, "analyzed": False}),
        ("added:30d shelf:LP001 playlist:3 owner:ana", "", {
            "added_since": "30d", "shelf": ["LP001"], "playlist": 3, "owner": ["ana"],
        }),
        ("played:2026-01-01 unplayed:30d", "", {"played_since": "2026-01-01", "not_played_since": "30d"}),
        # What only looks like one stays text.
        ("AC:DC", "AC:DC", {}),
        ("Re: Stacks", "Re: Stacks", {}),
        ("key: change", "key: change", {}),
        ("https://example.org/bpm:1", "https://example.org/bpm:1", {}),
        ("the bpm:", "the bpm:", {}),
    ],
)  # fmt: skip
def test_shortcuts_are_read_and_the_words_left(text: str, words: str, asked: dict[str, Any]) -> None:
    left, filters = read_shortcuts(text)
    assert (left, filters.model_dump(exclude_defaults=True)) == (words, asked)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("bpm:fast", "^bpm:fast cannot be read. Write bpm:128, "),
        ("tempo:fast", "Write tempo:128, "),
        ('genre:""', 'Write genre:name or genre:"a longer name"'),
        ("tag:,", "Write tag:name"),
        ("rating:*", "^rating:. cannot be read. Write rating:4, rating:3-5 or rating:4\\+, from 0 to 5"),
        ("year:abc", "Write year:1994, year:1990-1999, year:1990s"),
        ("happy:very", "Write happy:0.8"),
        ("key:H", "not a musical key"),
        ("bpm:130-120", "bpm_min is above bpm_max"),
        ("rating:9", "from 0 to 5"),
        ("has:fun", "Write has:audio"),
        ("added:soon", "not a moment"),
        ("playlist:first", "the number of a playlist"),
        ("owner:?", "Write owner:name"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(Malformed, match=sentence):
        read_shortcuts(text)


@given(st.text(alphabet=string.ascii_letters + string.digits + ' :"~-.,<>=+&', max_size=60))
def test_no_text_makes_it_fail_otherwise(text: str) -> None:
    with contextlib.suppress(Malformed):
        read_shortcuts(text)
