"""Building sets, paths and suggestions: every wish is kept, or named when it cannot be."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dj_contracts.keys import ALL_KEYS, Key
from dj_contracts.set_building import (
    BuildRequest,
    CurvePreset,
    EnergyWish,
    HarmonicRules,
    NextRequest,
    PathRequest,
    ScoreRequest,
)
from dj_servicekit.errors import Malformed
from ga_service.build import build
from ga_service.model import is_compatible
from ga_service.nextup import next_up
from ga_service.path import path
from ga_service.score import score


def pool(n: int, seed: int = 0) -> list[dict[str, Any]]:
    rng = random.Random(seed)
    return [
        {
            "track_id": f"t{i}",
            "bpm": round(rng.uniform(110, 135), 2),
            "key": rng.choice(ALL_KEYS).name,
            "energy": round(rng.random(), 2),
            "artist": f"artist {i % 40}",
            "album": f"album {i % 60}",
            "genres": ["House"] if i % 2 else ["Techno"],
            "duration_seconds": rng.randint(180, 420),
            "extra": {"kept": [i]},
        }
        for i in range(n)
    ]


def wish(**wishes: Any) -> BuildRequest:
    return BuildRequest.model_validate({"pool": pool(200), "seed": 1, **wishes})


def ids(tracks: list[dict[str, Any]]) -> list[Any]:
    return [track["track_id"] for track in tracks]


def test_locks_must_haves_and_exclusions_are_kept() -> None:
    answer = build(
        wish(
            count=12,
            first="t3",
            last="t9",
            slots=[{"position": 7, "track_id": "t50"}],
            include=["t77", "t78"],
            exclude=["t1", "t2", "not there"],
        )
    )
    played = ids(answer.result)
    assert (played[0], played[6], played[-1]) == ("t3", "t50", "t9")
    assert {"t77", "t78"} <= set(played)
    assert not {"t1", "t2"} & set(played)
    assert len(set(played)) == 12
    assert answer.result[0] == pool(200)[3]


def test_caps_and_gaps_are_kept() -> None:
    answer = build(wish(count=30, max_per_artist=2, artist_gap=5, max_per_album=1))
    artists = [track["artist"] for track in answer.result]
    assert max(artists.count(artist) for artist in artists) <= 2
    assert all(len(set(artists[i : i + 6])) == len(artists[i : i + 6]) for i in range(len(artists)))
    assert len({track["album"] for track in answer.result}) == 30
    assert answer.unmet == []


@pytest.mark.parametrize("curve", list(CurvePreset))
def test_an_energy_curve_is_followed_in_harmony(curve: CurvePreset) -> None:
    answer = build(wish(pool=pool(500), count=20, energy_curve=curve))
    assert answer.energy_deviation is not None
    assert answer.energy_deviation <= 0.1
    assert answer.harmonic_share is not None
    assert answer.harmonic_share >= 0.9


def test_minutes_are_met_with_overlap() -> None:
    answer = build(wish(minutes=60, overlap_seconds=20))
    assert answer.minutes == pytest.approx(60, abs=1)
    assert answer.unmet == []


@pytest.mark.parametrize("wishes", [{"minutes": 90}, {"count": 30}, {"count": 20, "key_lock": False}])
def test_a_set_is_better_than_a_greedy_one(wishes: dict[str, Any]) -> None:
    answer = build(wish(**wishes))
    assert answer.score > answer.greedy_score


def test_a_tempo_corridor_and_strict_rules_hold() -> None:
    corridor = [{"at": 0, "low": 112, "high": 120}, {"at": 1, "low": 122, "high": 130}]
    answer = build(wish(count=10, tempo_corridor=corridor, harmonic="strict", max_pitch_percent=6))
    assert answer.unmet == []
    assert 112 <= answer.result[0]["bpm"] <= 120
    assert 122 <= answer.result[-1]["bpm"] <= 130
    for a, b in zip(answer.result, answer.result[1:], strict=False):
        assert is_compatible(Key.parse(a["key"]), Key.parse(b["key"]))


def test_wanted_genre_shares_are_met() -> None:
    answer = build(wish(count=10, genres={"house": 0.3, "TECHNO": 0.7}))
    assert sum("House" in track["genres"] for track in answer.result) == 3


def test_what_cannot_be_met_is_named_and_why() -> None:
    answer = build(wish(pool=pool(5), count=9, harmonic="strict", max_per_artist=1))
    assert len(answer.result) == 5
    assert answer.unmet[0].constraint == "count"
    assert {item.constraint for item in answer.unmet} == {"count", "harmonic"}


@pytest.mark.parametrize(
    ("wishes", "says"),
    [
        ({}, "either count"),
        ({"count": 3, "minutes": 10}, "either count"),
        ({"count": 3, "first": "nobody"}, "not in the pool"),
        ({"count": 3, "first": "t1", "last": "t1"}, "two positions"),
        ({"count": 3, "first": "t1", "slots": [{"position": 1, "track_id": "t2"}]}, "Two different tracks"),
        ({"count": 3, "slots": [{"position": 4, "track_id": "t2"}]}, "outside the set"),
        ({"count": 3, "include": ["t1"], "exclude": ["t1"]}, "both include and exclude"),
        ({"count": 2, "include": ["t1", "t2", "t3"]}, "2 places"),
        ({"count": 2, "tempo_corridor": [{"at": 0, "low": 130, "high": 120}]}, "above the high"),
    ],
)
def test_contradictions_are_refused_in_a_sentence(wishes: dict[str, Any], says: str) -> None:
    with pytest.raises(Malformed, match=says):
        build(wish(**wishes))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 12), st.integers(1, 6), st.integers(0, 3), st.sampled_from(HarmonicRules))
def test_any_pool_gives_a_set_without_repeats(n: int, count: int, seed: int, rules: HarmonicRules) -> None:
    tracks = [{**track, "track_id": None if i % 3 else i // 2} for i, track in enumerate(pool(n, seed))]
    answer = build(BuildRequest(pool=tracks, count=count, harmonic=rules, seed=seed))
    assert len(answer.result) <= min(n, count)
    assert len({str(track["extra"]) for track in answer.result}) == len(answer.result)


def test_the_same_request_gives_the_same_set() -> None:
    first, second = (build(wish(count=15, energy_curve="waves")) for _ in range(2))
    assert ids(first.result) == ids(second.result)


def test_paths_keep_their_limits_and_differ() -> None:
    tracks = sorted(pool(400), key=lambda track: track["bpm"])
    start, middle, end = (tracks[i]["track_id"] for i in (10, 200, 390))
    answer = path(PathRequest(pool=tracks, start=start, end=end, waypoints=[middle], count=11, paths=3))
    assert len(answer.paths) == 3
    assert len({tuple(ids(found.result)) for found in answer.paths}) == 3
    for found in answer.paths:
        played = ids(found.result)
        assert (played[0], played[5], played[-1]) == (start, middle, end)
        assert found.unmet == []
        assert all(step.harmonic for step in found.transitions)
        assert all(abs(step.tempo_change_percent or 0) <= 6 for step in found.transitions)


def test_a_path_to_itself_or_too_short_is_refused() -> None:
    with pytest.raises(Malformed, match="different tracks"):
        path(PathRequest(pool=pool(5), start="t1", end="t1"))
    with pytest.raises(Malformed, match="at least 3"):
        path(PathRequest(pool=pool(5), start="t1", end="t2", waypoints=["t3"], count=2))


def test_next_ranks_by_the_model_and_leaves_out_what_was_played() -> None:
    tracks = pool(100)
    request = NextRequest(current=tracks[0], recent=[tracks[1]], candidates=tracks, limit=10, exclude=["t5"])
    answer = next_up(request)
    assert len(answer.choices) == 10
    assert not {"t0", "t1", "t5"} & {choice.track["track_id"] for choice in answer.choices}
    best = answer.choices[0].transition
    assert best.score > 0.9
    rising = next_up(request.model_copy(update={"energy": EnergyWish.UP}))
    mean_step = sum(choice.transition.energy_change or 0 for choice in rising.choices) / 10
    assert 0.05 < mean_step < 0.3


def test_next_offers_nothing_outside_its_limits() -> None:
    current = {"track_id": "a", "bpm": 120, "key": "8A"}
    others = [{"track_id": "b", "bpm": 120, "key": "2A"}, {"track_id": "c", "bpm": 121, "key": "9A"}]
    answer = next_up(NextRequest(current=current, candidates=others, harmonic=HarmonicRules.STRICT))
    assert [choice.track["track_id"] for choice in answer.choices] == ["c"]
    assert answer.notes


def test_score_judges_the_order_as_it_is() -> None:
    tracks = [{"bpm": 120, "key": "8A"}, {"bpm": 120, "key": "2A"}, {"bpm": 121, "key": "9A"}]
    answer = score(ScoreRequest(tracks=tracks))
    assert [step.harmonic for step in answer.transitions] == [False, False]
    assert answer.score < answer.greedy_score
    assert score(ScoreRequest(tracks=[])).score == 1.0
    custom = score(ScoreRequest(tracks=tracks[:2], key_table={"minor>minor+6": 1.0}))
    assert custom.parts["key"] == 1.0
