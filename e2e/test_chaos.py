"""A few jobs while everything is killed with -9 at random; ``./dj bench chaos`` does it with two hundred."""

import random

import pytest

from bench.chaos.run import run_chaos


@pytest.mark.timeout(900)
def test_nothing_is_lost_doubled_or_left_over_when_everything_is_killed() -> None:
    verdict, kills = run_chaos(jobs=10, workers=2, seconds_between=2, rng=random.Random(7), say=print)
    assert verdict.is_clean, verdict.details
    assert (verdict.completed, verdict.failed_for_own_reason) == (9, 1)
    assert sum(kills.values())
