"""The labelled decoys: no wrong one is ever sure, and the right ones mostly are."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dj_contracts.downloads import WantedTrack
from download_worker.sources.matching import Find, close_seconds, judge, rank, same_name
from download_worker.sources.versions import read_name

CASES = json.loads((Path(__file__).parent / "decoys.json").read_text())
Labelled = list[tuple[WantedTrack, Find]]


def labelled(label: str) -> Labelled:
    return [
        (WantedTrack.model_validate(case["wanted"]), Find("https://example.org/1", *found))
        for case in CASES
        for found in case[label]
    ]


def shown(value: Any) -> str:
    return value.title if isinstance(value, Find | WantedTrack) else str(value)


@pytest.mark.parametrize(("wanted", "find"), labelled("wrong"), ids=shown)
def test_a_decoy_is_never_sure_and_has_its_reason(wanted: WantedTrack, find: Find) -> None:
    judged = judge(wanted, find)
    assert not judged.sure
    assert judged.candidate.reasons
    assert judged.candidate.score < 0.9


@pytest.mark.parametrize(("wanted", "find"), labelled("right"), ids=shown)
def test_the_right_one_is_sure(wanted: WantedTrack, find: Find) -> None:
    judged = judge(wanted, find)
    assert judged.sure, judged.candidate.reasons
    assert judged.candidate.score >= 0.9


@pytest.mark.parametrize(
    "case", [case for case in CASES if case["right"]], ids=lambda c: c["wanted"]["title"]
)
def test_the_right_ones_stand_before_all_decoys(case: dict[str, Any]) -> None:
    wanted = WantedTrack.model_validate(case["wanted"])
    finds = [
        Find(f"https://example.org/{number}", *found)
        for number, found in enumerate([*case["wrong"], *case["right"]])
    ]
    ranked = rank(wanted, finds)
    first = [one.candidate.url for one in ranked[: len(case["right"])]]
    assert set(first) <= {find.url for find in finds[len(case["wrong"]) :]}


def test_what_a_person_refused_is_not_offered_again() -> None:
    wanted = WantedTrack(
        title="Strings of Life", artist="Rhythim", duration_seconds=10, rejected_urls=["https://a.org/1"]
    )
    finds = [Find(f"https://a.org/{n}", "Rhythim - Strings of Life", "x", 10) for n in (1, 2)]
    assert [one.candidate.url for one in rank(wanted, finds)] == ["https://a.org/2"]


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=80), st.text(max_size=80))
def test_any_text_is_judged(title: str, artist: str, found: str, uploader: str) -> None:
    judged = judge(
        WantedTrack(title=title, artist=artist, duration_seconds=100),
        Find("https://example.org/1", found, uploader, 100),
    )
    assert 0 <= judged.candidate.score <= 1


@pytest.mark.parametrize(
    ("title", "versions"),
    [
        ("Song (Original Mix)", set()),
        ("Song (Remastered 2009)", set()),
        ("Song (Extended Mix)", {"extended"}),
        ("Song (Radio Edit)", {"radio edit"}),
        ("Song (Live)", {"live"}),
        ("Song [10 Hours]", {"a loop"}),
        ("Song (Sped Up + Nightcore)", {"sped up"}),
        ("Olive Oil", set()),
    ],
)
def test_version_words(title: str, versions: set[str]) -> None:
    assert set(read_name(title).versions) == versions


@pytest.mark.parametrize(("expected", "allowed"), [(60, 3), (400, 6), (3600, 8)])
def test_how_close_is_close(expected: float, allowed: float) -> None:
    assert close_seconds(expected) == allowed


def test_the_same_recording_on_two_releases_has_the_same_name() -> None:
    assert same_name("Strings of Life", "Rhythim Is Rhythim", "Strings Of Life (Original Mix)", "Rhythim")
    assert not same_name("Strings of Life", "Rhythim", "Strings of Life (Live)", "Rhythim")
    assert not same_name("Strings of Life", "Rhythim", "Strings of Life", "Soul Central")
