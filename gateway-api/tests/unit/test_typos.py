"""Typos between words, counted as Meilisearch counts them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_api.features.search.highlights import highlight
from gateway_api.features.search.typos import count_typos, typos_allowed


@pytest.mark.parametrize(
    ("typed", "meant", "typos"),
    [
        ("bjork", "bjork", 0),
        ("bjrok", "bjork", 1),
        ("lfe", "life", 1),
        ("punkk", "punk", 1),
        ("radiohaed", "radiohead", 1),
        ("iadiohead", "radiohead", 2),
        ("группа", "група", 1),
    ],
)
def test_a_slip_of_the_fingers_is_one_typo(typed: str, meant: str, typos: int) -> None:
    assert count_typos(typed, meant) == typos


def test_a_word_that_is_still_being_typed_is_compared_with_how_words_begin() -> None:
    assert count_typos("windwol", "windowlicker", beginning=True) == 1
    assert count_typos("windo", "windowlicker", beginning=True) == 0


@pytest.mark.parametrize(
    ("word", "allowed"), [("dj", 0), ("joy", 1), ("monday", 1), ("android", 2), ("x" * 101, 0)]
)
def test_longer_words_may_hold_more_typos(word: str, allowed: int) -> None:
    assert typos_allowed(word) == allowed


@given(st.text(max_size=12), st.text(max_size=12))
def test_typos_are_a_distance(one: str, other: str) -> None:
    assert count_typos(one, other) == count_typos(other, one)
    assert (count_typos(one, other) == 0) is (one == other)
    assert count_typos(one, other, beginning=True) <= count_typos(one, other)


def test_marks_hold_whole_words_and_nothing_that_a_page_would_run() -> None:
    shown = highlight("Łódź <b>Blues</b>", "Sigur Rós", "x", {"lodz", "blu", "ros"})
    assert shown.title == "<em>Łódź</em> &lt;b&gt;<em>Blues</em>&lt;/b&gt;"
    assert (shown.artist, shown.album) == ("Sigur <em>Rós</em>", "x")


def test_nothing_to_mark_leaves_the_text() -> None:
    assert highlight("One", "Two", "", set()).title == "One"
