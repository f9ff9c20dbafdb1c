"""Laws of the key parser: complete, round-tripping, indifferent to spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dj_contracts.keys import ALL_KEYS, Key, Mode, find_key

A_MINOR = Key(9, Mode.MINOR)

SPELLINGS = {
    A_MINOR: [
        "A minor",
        "a min",
        "Am",
        "8A",
        "08A",
        "8a",
        "1m",
        "A-minor",
        "Amin",
        "A moll",
        " am ",
    ],
    Key(0, Mode.MAJOR): ["C", "C major", "Cmaj", "8B", "1d", "CM", "C dur", "B#", "c"],
    Key(10, Mode.MINOR): [
        "Bbm",
        "A#m",
        "B♭ minor",
        "3A",
        "B flat minor",
        "B-flat minor",
        "A sharp min",
    ],
    Key(1, Mode.MAJOR): ["D♭ major", "Db", "C#", "C♯ Major", "3B", "DB MAJOR", "8d"],
    Key(6, Mode.MAJOR): ["F#", "Gb", "2B", "Gb major", "F sharp", "7d"],
    Key(0, Mode.MINOR): ["Cm", "5A", "10m", "C minor", "c_minor"],
    Key(5, Mode.MINOR): ["4A", "Fm", "E#m"],
    Key(1, Mode.MINOR): ["C#m", "Dbm", "12A", "5m"],
    Key(9, Mode.MAJOR): ["11B", "4d", "A", "Ａ"],
    Key(4, Mode.MINOR): ["9A", "2m", "Em"],
}


@pytest.mark.parametrize(("text", "key"), [(text, key) for key, texts in SPELLINGS.items() for text in texts])
def test_every_usual_spelling_gives_the_one_key(text: str, key: Key) -> None:
    assert find_key(text) == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "0A",
        "13A",
        "8C",
        "H",
        "o",
        "minor",
        "Am7",
        "A dorian",
        "128",
        "8A 9A",
        "\x00",
        "Amm",
    ],
)
def test_what_is_not_a_key_is_none(text: str) -> None:
    assert find_key(text) is None


@pytest.mark.parametrize("key", ALL_KEYS, ids=str)
@pytest.mark.parametrize("notation", ["name", "short", "camelot", "open_key"])
def test_every_notation_round_trips(key: Key, notation: str) -> None:
    assert Key.parse(getattr(key, notation)) == key


def test_each_notation_tells_all_24_keys_apart() -> None:
    for notation in ("name", "short", "camelot", "open_key"):
        assert len({getattr(key, notation) for key in ALL_KEYS}) == 24


@given(st.sampled_from(ALL_KEYS))
def test_neighbours_on_the_wheel_are_a_fifth_apart(key: Key) -> None:
    up = Key.on_wheel(key.camelot_number % 12 + 1, key.mode)
    assert up == key.transposed(7)


@given(st.sampled_from(ALL_KEYS))
def test_same_number_other_letter_is_the_relative_key(key: Key) -> None:
    other = Mode.MINOR if key.mode is Mode.MAJOR else Mode.MAJOR
    relative = Key.on_wheel(key.camelot_number, other)
    assert (relative.tonic - key.tonic) % 12 == (9 if key.mode is Mode.MAJOR else 3)


@given(st.text(max_size=30))
def test_no_text_makes_the_parser_fail(text: str) -> None:
    key = find_key(text)
    assert key is None or find_key(key.name) == key


def test_parse_names_the_text_that_is_no_key() -> None:
    with pytest.raises(ValueError, match="'H major' is not a musical key"):
        Key.parse("H major")


def test_compatible_keys_are_the_same_a_step_round_the_wheel_and_the_relative() -> None:
    assert [key.camelot for key in Key.parse("8A").compatible] == ["8A", "9A", "7A", "8B"]
    assert [key.camelot for key in Key.parse("12B").compatible] == ["12B", "1B", "11B", "12A"]


@pytest.mark.parametrize("key", ALL_KEYS)
def test_what_mixes_with_a_key_mixes_back(key: Key) -> None:
    assert all(key in other.compatible for other in key.compatible)
