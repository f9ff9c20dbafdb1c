"""Ordering: the laws that hold for any tracks, and the corners."""

import itertools
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dj_contracts.keys import ALL_KEYS
from dj_contracts.sets import OrderRequest, SetMode
from ga_service.costs import Costs
from ga_service.order import order
from ga_service.search import greedy
from ga_service.tour import Landscape, Tour
from ga_service.tracks import read_tracks

anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
)
some_tracks = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "track_id": st.one_of(st.integers(0, 3), anything),
            "bpm": st.one_of(st.floats(60, 180), anything),
            "key": st.one_of(st.sampled_from([key.name for key in ALL_KEYS]), anything),
            "energy": st.one_of(st.floats(0, 10), anything),
            "artist": st.one_of(st.sampled_from(["X", "Y"]), anything),
            "embedding": st.one_of(st.lists(st.floats(-1, 1), min_size=3, max_size=3), anything),
            "whatever": anything,
        },
    ),
    max_size=9,
)


def crate(n: int, seed: int = 0) -> list[dict[str, Any]]:
    rng = random.Random(seed)
    return [
        {
            "track_id": f"t{i}",
            "bpm": round(rng.uniform(115, 132), 2),
            "key": rng.choice(ALL_KEYS).name,
            "energy": rng.randint(1, 10),
            "artist": f"artist {rng.randrange(max(1, n // 3))}",
        }
        for i in range(n)
    ]


@settings(max_examples=60, deadline=None)
@given(some_tracks, st.sampled_from(SetMode), st.integers(0, 5))
def test_an_order_holds_the_very_tracks_that_were_given(
    tracks: list[dict[str, Any]], mode: SetMode, seed: int
) -> None:
    answer = order(OrderRequest.model_validate({"playlist": tracks, "mode": mode, "seed": seed}))
    assert sorted(map(repr, answer.result)) == sorted(map(repr, tracks))
    assert len(answer.transitions) == max(len(tracks) - 1, 0)
    assert 0 <= answer.score <= 1


@settings(max_examples=60, deadline=None)
@given(some_tracks)
def test_the_search_is_never_worse_than_greedy_or_the_input(tracks: list[dict[str, Any]]) -> None:
    answer = order(OrderRequest(tracks=tracks))
    assert answer.score >= answer.greedy_score
    assert answer.score >= answer.input_score


@settings(max_examples=40, deadline=None)
@given(some_tracks.filter(lambda tracks: len(tracks) > 1), st.booleans())
def test_costs_of_pairs_rows_columns_and_the_matrix_agree(
    tracks: list[dict[str, Any]], key_lock: bool
) -> None:
    costs = Costs(read_tracks(tracks), key_lock=key_lock)
    for a, b in itertools.product(range(len(tracks)), repeat=2):
        if a != b:
            assert costs.cost(a, b) == costs.matrix[a, b] == costs.row(a)[b] == costs.column(b)[a]


@pytest.mark.parametrize("seed", range(5))
def test_eight_tracks_are_ordered_at_the_optimum(seed: int) -> None:
    tracks = crate(8, seed)
    costs = Costs(read_tracks(tracks))
    best = min(map(costs.along, itertools.permutations(range(8))))
    answer = order(OrderRequest(tracks=tracks))
    assert answer.score == costs.score(best, 7)


def test_the_same_seed_gives_the_same_answer() -> None:
    first, second = (order(OrderRequest(tracks=crate(40), seed=7)) for _ in range(2))
    assert first.model_dump(exclude={"elapsed_ms"}) == second.model_dump(exclude={"elapsed_ms"})


def test_this_order_is_found_on_every_machine() -> None:
    answer = order(OrderRequest(tracks=crate(20, seed=3), seed=3))
    known = "t7 t19 t10 t13 t1 t4 t2 t18 t3 t0 t12 t8 t14 t17 t9 t11 t15 t6 t5 t16"
    assert [track["track_id"] for track in answer.result] == known.split()


def test_a_time_budget_that_is_hit_is_said() -> None:
    answer = order(OrderRequest(tracks=crate(150), time_budget_seconds=0.01))
    assert answer.stopped_by == "time_budget"
    assert answer.score >= answer.greedy_score


def test_cohesive_blocks_play_each_tempo_once() -> None:
    tracks = [
        {"track_id": i, "bpm": bpm, "key": "Am"}
        for i, bpm in enumerate([90, 174, 124, 91, 125, 175, 92, 126])
    ]
    answer = order(OrderRequest(tracks=tracks, mode=SetMode.COHESIVE_BLOCKS))
    blocks = [track["bpm"] // 40 for track in answer.result]
    assert len([block for block, _ in itertools.groupby(blocks)]) == 3


def test_missing_data_and_duplicates_are_named() -> None:
    answer = order(OrderRequest(tracks=[{"track_id": 1, "bpm": 9e9}, {"track_id": 1, "key": "H"}]))
    assert answer.missing[0].problems == ["tempo 9e+09 is outside 20-400", "no key", "no energy"]
    assert "key is not a known spelling" in answer.missing[1].problems
    assert "1 track ids occur more than once" in answer.notes[0]


@settings(max_examples=30, deadline=None)
@given(st.integers(3, 30), st.randoms(use_true_random=False))
def test_incremental_totals_stay_true(n: int, rng: random.Random) -> None:
    costs = Costs(read_tracks(crate(n, rng.randrange(1000))))
    land = Landscape(costs.matrix)
    tour = Tour(land, greedy(costs.matrix))
    for _ in range(20):
        before = tour.total
        seams = tour.kick(rng, max(2, n))
        kicked = tour.total
        tour.polish(seams)
        assert tour.total <= max(before, kicked)
        assert sorted(tour.order) == list(range(n))
        assert tour.total == land.total(tour.order)
