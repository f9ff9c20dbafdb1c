"""``/score``: an order as given, judged with the model that would have ordered it."""

import time
from collections.abc import Callable

from dj_contracts.set_building import ScoreRequest, ScoreResult
from dj_servicekit.errors import Malformed
from ga_service import explain
from ga_service.build import soft_cost
from ga_service.curves import energy_targets
from ga_service.order import MOST_TRACKS_TO_ORDER
from ga_service.search import greedy
from ga_service.tracks import read_tracks
from ga_service.wishes import costs_for

Progress = Callable[[dict[str, object]], None]


def score(request: ScoreRequest, progress: Progress | None = None) -> ScoreResult:
    del progress  # over before it could be told
    started = time.monotonic()
    many = len(request.tracks)
    if many > MOST_TRACKS_TO_ORDER:
        raise Malformed(f"{many} tracks are too many to judge at once; send at most {MOST_TRACKS_TO_ORDER}.")
    costs = costs_for(request, read_tracks(request.tracks), has_curve=bool(request.energy_curve))
    order = list(range(many))
    pairs = explain.transitions(costs, order)
    broken = [
        f"From position {place} to {place + 1}: breaks {limit}."
        for place in range(1, many)
        for limit in costs.breaks(place - 1, place)
    ]
    return ScoreResult(
        seed=request.seed,
        score=costs.score(soft_cost(costs, order), many - 1),
        parts=explain.mean_parts(costs, order),
        transitions=pairs,
        missing=explain.missing(costs),
        notes=explain.duplicates(costs) + broken[:50],
        elapsed_ms=int((time.monotonic() - started) * 1000),
        energy_deviation=explain.energy_deviation(costs, order, energy_targets(request.energy_curve, many)),
        harmonic_share=explain.harmonic_share(pairs),
        greedy_score=costs.score(soft_cost(costs, greedy(costs.matrix)), many - 1),
    )
