"""Puts the given tracks in the best order: ``/generate`` and ``/optimize``."""

import time
from collections.abc import Callable, Sequence

import numpy as np

from dj_contracts.sets import OrderRequest, OrderResult, SetMode
from dj_servicekit.errors import Malformed
from ga_service import explain
from ga_service.costs import Costs, Ints
from ga_service.search import Found, evolve, greedy
from ga_service.tracks import Reading, read_tracks

MOST_TRACKS_TO_ORDER = 2_000
_BLOCK_TEMPO_RATIO = 1.06

Progress = Callable[[dict[str, object]], None]


def order(request: OrderRequest, progress: Progress | None = None) -> OrderResult:
    started = time.monotonic()
    if len(request.tracks) > MOST_TRACKS_TO_ORDER:
        raise Malformed(
            f"{len(request.tracks)} tracks are too many to order at once; send at most "
            f"{MOST_TRACKS_TO_ORDER}, or use /build to choose a set from a pool."
        )
    costs = Costs(read_tracks(request.tracks), key_lock=request.key_lock)
    given = list(range(len(costs)))
    matrix = costs.matrix
    greedy_order = greedy(matrix)
    deadline = started + request.time_budget_seconds if request.time_budget_seconds else None

    def report(generation: int, cost: int) -> None:
        if progress is not None:
            progress({"generation": generation, "score": costs.score(cost, len(given) - 1)})

    if request.mode is SetMode.GREEDY:
        found = Found(greedy_order, costs.along(greedy_order), 0, "done")
    elif request.mode is SetMode.COHESIVE_BLOCKS:
        walled = matrix + _walls(costs.readings, matrix)
        found = evolve(walled, [greedy(walled)], seed=request.seed, deadline=deadline, report=report)
    else:
        found = evolve(matrix, [greedy_order, given], seed=request.seed, deadline=deadline, report=report)
    best = found.order
    steps = max(len(best) - 1, 0)
    return OrderResult(
        result=[request.tracks[place] for place in best],
        mode=request.mode,
        seed=request.seed,
        score=costs.score(costs.along(best), steps),
        parts=explain.mean_parts(costs, best),
        input_score=costs.score(costs.along(given), steps),
        greedy_score=costs.score(costs.along(greedy_order), steps),
        transitions=explain.transitions(costs, best),
        missing=explain.missing(costs),
        notes=explain.duplicates(costs),
        generations=found.generations,
        stopped_by="time_budget" if found.stopped_by == "time_budget" else "done",
        elapsed_ms=int((time.monotonic() - started) * 1000),
    )


def _walls(readings: Sequence[Reading], matrix: Ints) -> Ints:
    """A price for leaving a block of like tempo, so high that each block is played through once.

    A block is a run of tempi, sorted, that spans no more than 6 %; tracks without a tempo are one block.
    """
    blocks = np.zeros(len(readings), dtype=np.int64)
    tempi = sorted({r.bpm for r in readings if r.bpm})
    block_of: dict[float, int] = {}
    start, block = 0.0, 0
    for tempo in tempi:
        if tempo > start * _BLOCK_TEMPO_RATIO:
            start, block = tempo, block + 1
        block_of[tempo] = block
    for place, reading in enumerate(readings):
        blocks[place] = block_of[reading.bpm] if reading.bpm else 0
    price = int(matrix.max(initial=0)) * 2 + 1
    walls: Ints = np.where(blocks[:, None] == blocks[None, :], 0, price).astype(np.int32)
    return walls
