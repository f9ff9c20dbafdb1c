"""``/path``: from one track to another through a pool, each hop inside the limits; several different ways."""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from dj_contracts.set_building import BuildRequest, PathRequest, PathResult, SetResult, Slot
from dj_servicekit.errors import Malformed
from ga_service.build import Plan, answer_of, greedy, make_plan, problem_of
from ga_service.choose import choose
from ga_service.costs import Ints
from ga_service.curves import along
from ga_service.model import FULL
from ga_service.problem import Problem

_USUAL_COUNT = 8
# A track that another path has used is played again only where nothing else keeps inside the limits.
_USED_BEFORE_COSTS = 5_000_000
_GLIDE_WEIGHT = 150

Progress = Callable[[dict[str, object]], None]


def path(request: PathRequest, progress: Progress | None = None) -> PathResult:
    started = time.monotonic()
    deadline = started + request.time_budget_seconds if request.time_budget_seconds else None
    plan = make_plan(_as_build(request, slots=[]))
    plan = replace(plan, request=plan.request.model_copy(update={"slots": _waypoints(request, plan.slots)}))
    problem = problem_of(plan)
    problem = replace(problem, place_costs=problem.place_costs + _glide(plan, problem))
    answers: list[SetResult] = []
    played: list[list[int]] = []
    for number in range(request.paths):
        begun = time.monotonic()

        def report(generation: int, cost: int, number: int = number) -> None:
            if progress is not None:
                progress({"path": number + 1, "generation": generation, "cost": cost})

        found = choose(problem, greedy(plan, problem), seed=request.seed, deadline=deadline, report=report)
        if found.places in played:
            break
        answer = answer_of(plan, problem, found, begun)
        answer.unmet = [item for item in answer.unmet if item.constraint != "count"]
        answers.append(answer)
        played.append(found.places)
        used = [place for place in found.places if place not in problem.fixed.values()]
        dearer = problem.place_costs.copy()
        dearer[:, used] += np.int32(_USED_BEFORE_COSTS)
        problem = replace(problem, place_costs=dearer)
    answers.sort(key=lambda answer: (len(answer.unmet), -answer.score))
    if len(played) < request.paths:
        answers[0].notes.append(f"There are only {len(played)} different paths of this length in the pool.")
    return PathResult(paths=answers, elapsed_ms=int((time.monotonic() - started) * 1000))


def _as_build(request: PathRequest, slots: list[Slot]) -> BuildRequest:
    ends = [request.start, *request.waypoints, request.end]
    if len({str(end) for end in ends}) < len(ends):
        raise Malformed("start, end and waypoints must be different tracks; each is played once.")
    if request.count is not None and request.minutes is not None:
        raise Malformed("Say how long the path shall be: either count (tracks) or minutes, not both.")
    count = request.count
    if count is None and request.minutes is None:
        count = max(_USUAL_COUNT, len(ends))
    if count is not None and count < len(ends):
        raise Malformed(f"{len(ends)} tracks are named, so the path needs at least {len(ends)}, not {count}.")
    return BuildRequest(
        pool=request.pool,
        count=count,
        minutes=request.minutes,
        first=request.start,
        last=request.end,
        slots=slots,
        harmonic=request.harmonic,
        key_table=request.key_table,
        max_pitch_percent=request.max_pitch_percent,
        key_lock=request.key_lock,
        weights=request.weights,
        seed=request.seed,
    )


def _waypoints(request: PathRequest, slots: int) -> list[Slot]:
    step = (slots - 1) / (len(request.waypoints) + 1)
    if request.waypoints and step < 1:
        raise Malformed(f"A path of {slots} tracks has no room for {len(request.waypoints)} waypoints.")
    return [
        Slot(position=int(step * number) + 1, track_id=track_id)
        for number, track_id in enumerate(request.waypoints, 1)
    ]


def _glide(plan: Plan, problem: Problem) -> Ints:
    """A light pull towards the straight line between the tempi of the tracks that are fixed."""
    known = sorted(
        (float(slot), bpm)
        for slot, place in problem.fixed.items()
        if (bpm := plan.readings[place].bpm) is not None
    )
    if len(known) < 2:
        return np.zeros_like(problem.place_costs)
    line = np.array([along(known, float(slot)) for slot in range(problem.slots)])[:, None]
    tempi = np.array([r.bpm if r.bpm else np.nan for r in plan.readings])[None, :]
    off = np.minimum(np.abs(tempi - line) / line / 0.06, 8.0)
    pull: Ints = np.floor(np.where(np.isnan(off), 1.0, off) * (_GLIDE_WEIGHT * FULL)).astype(np.int32)
    return pull
