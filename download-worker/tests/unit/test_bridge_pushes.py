"""What the two older shapes of a raw push ask for."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from download_worker.bridge.pushes import Poison, parse

FIRST = {"track_id": "12345", "source": "youtube", "url": "https://youtu.be/x"}
SECOND = {
    "job_id": "a1b2",
    "job_type": "download",
    "track_id": "99-A1",
    "friend_id": 7,
    "youtube_url": "https://youtu.be/y",
    "soundcloud_url": "https://soundcloud.com/z",
    "apple_music_url": "",
    "title": "Title",
    "preferred_downloader": "yt-dlp",
}


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_the_short_shape() -> None:
    push, older_id = parse(encoded(FIRST))
    assert (push.track_id, push.url, push.source, push.job_type) == (
        "12345",
        "https://youtu.be/x",
        "youtube",
        "download",
    )
    assert (push.username, push.friend_id, older_id) == (None, None, None)
    assert push.raw == FIRST


def test_the_long_shape() -> None:
    push, older_id = parse(encoded(SECOND))
    assert (push.track_id, push.friend_id, push.url, older_id) == ("99-A1", "7", "https://youtu.be/y", "a1b2")


def test_the_preferred_source_is_taken() -> None:
    push, _ = parse(encoded(SECOND | {"preferred_downloader": "soundcloud"}))
    assert push.url == "https://soundcloud.com/z"


def test_the_same_wish_has_the_same_id_whatever_else_it_says() -> None:
    first, _ = parse(encoded(SECOND))
    again, _ = parse(encoded(SECOND | {"job_id": "other", "title": "Another"}))
    assert first.id == again.id


def test_a_push_delivered_again_has_the_same_identity_and_a_new_one_another() -> None:
    identity = parse(encoded(SECOND))[0].identity
    assert identity == parse(encoded(SECOND))[0].identity
    assert identity != parse(encoded(SECOND | {"job_id": "other"}))[0].identity
    assert parse(encoded(FIRST))[0].identity == parse(encoded(dict(reversed(FIRST.items()))))[0].identity
    assert parse(encoded(FIRST))[0].identity != parse(encoded(FIRST | {"again": 1}))[0].identity


@pytest.mark.parametrize(
    "change", [{"track_id": "1"}, {"friend_id": 8}, {"youtube_url": "https://youtu.be/z"}, {"username": "dj"}]
)
def test_another_wish_has_another_id(change: dict[str, Any]) -> None:
    assert parse(encoded(SECOND))[0].id != parse(encoded(SECOND | change))[0].id


def test_a_job_on_what_the_track_has_needs_no_link() -> None:
    push, _ = parse(encoded({"track_id": "1", "job_type": "analyze-local", "job_id": "x"}))
    assert push.url is None


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 60000, "not JSON"),
        (b"[]", "not a JSON object"),
        (b"12", "not a JSON object"),
        (encoded({"url": "https://a.example/"}), "track_id"),
        (encoded(FIRST | {"track_id": ""}), "track_id"),
        (encoded(FIRST | {"track_id": {"a": 1}}), "track_id"),
        (encoded(FIRST | {"job_type": "Drop Tables"}), "job_type"),
        (encoded(FIRST | {"job_id": "a b"}), "job_id"),
        (encoded({"track_id": "1"}), "no link"),
        (encoded(FIRST | {"url": "file:///etc/passwd"}), "http"),
        (encoded(FIRST | {"title": "x" * 70000}), "larger"),
        (encoded(FIRST | {"track_id": "a\x00b"}), "NUL"),
        (encoded(FIRST | {"more": [{"title": "\ud800"}]}), "half of a pair"),
    ],
)
def test_poison_has_its_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(Poison, match=reason):
        parse(raw)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_push_or_poison(raw: bytes) -> None:
    with pytest.raises(Poison):
        parse(raw)


@given(st.dictionaries(st.sampled_from([*SECOND, "username", "url"]), st.none() | st.text() | st.integers()))
def test_any_object_is_a_push_or_poison(value: dict[str, Any]) -> None:
    try:
        push, _ = parse(encoded(value))
    except Poison:
        return
    assert push.track_id
