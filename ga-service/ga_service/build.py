"""``/build``: a set chosen out of a pool to a number of tracks or minutes, within the request's wishes."""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from dj_contracts.set_building import BuildRequest, SetResult
from dj_contracts.sets import TrackObject
from dj_servicekit.errors import Malformed
from ga_service import explain
from ga_service.choose import Chosen, choose
from ga_service.costs import HARD, Costs, Ints
from ga_service.curves import energy_targets, tempo_limits
from ga_service.model import FULL
from ga_service.problem import Cap, Problem, Share
from ga_service.tracks import Reading, read_tracks
from ga_service.unmet import unmet_wishes
from ga_service.wishes import Places, costs_for

MOST_CANDIDATES = 10_000
_USUAL_SECONDS = 240.0
_CURVE_WEIGHT = 3_000
_GENRE_WEIGHT = 500
_SECOND_OFF_COSTS = 4_000
_NO_ENERGY_DEVIATION = 0.3

Progress = Callable[[dict[str, object]], None]


@dataclass(frozen=True)
class Plan:
    """A request whose ids, slots and counts have been checked against its pool."""

    request: BuildRequest
    readings: list[Reading]
    costs: Costs
    seconds: list[float]
    allowed: np.ndarray[tuple[int], np.dtype[np.bool_]]
    include: list[int]
    slots: int


def build(request: BuildRequest, progress: Progress | None = None) -> SetResult:
    started = time.monotonic()
    deadline = started + request.time_budget_seconds if request.time_budget_seconds else None
    plan = make_plan(request)
    problem = problem_of(plan)

    def report(generation: int, cost: int) -> None:
        if progress is not None:
            progress({"generation": generation, "cost": cost, "tracks": problem.slots})

    found = None
    if plan.slots:
        found = choose(problem, greedy(plan, problem), seed=request.seed, deadline=deadline, report=report)
    return answer_of(plan, problem, found, started)


def make_plan(request: BuildRequest) -> Plan:
    if (request.count is None) == (request.minutes is None):
        raise Malformed("Say how long the set shall be: either count (tracks) or minutes, not both.")
    if len(request.pool) > MOST_CANDIDATES:
        raise Malformed(f"{len(request.pool)} candidates are too many; send at most {MOST_CANDIDATES}.")
    for gate in request.tempo_corridor:
        if gate.low > gate.high:
            raise Malformed(f"tempo_corridor: at {gate.at:g} the low tempo is above the high one.")
    readings = read_tracks(request.pool)
    places = Places(readings)
    named = {"include": request.include, "slots": [slot.track_id for slot in request.slots]}
    named["first"] = [] if request.first is None else [request.first]
    named["last"] = [] if request.last is None else [request.last]
    wanted = {what: [places.of(track_id, what) for track_id in ids] for what, ids in named.items()}
    excluded = {place for track_id in request.exclude if (place := places.find(track_id)) is not None}
    for what, found in wanted.items():
        for place in found:
            if place in excluded:
                raise Malformed(f"The track {readings[place].track_id!r} is in both {what} and exclude.")
    allowed = np.ones(len(readings), dtype=np.bool_)
    allowed[list(excluded)] = False
    # A second occurrence of an id is the same track: it cannot be played twice.
    seen: set[str] = set()
    for place, reading in enumerate(readings):
        if reading.track_id is not None:
            if str(reading.track_id) in seen:
                allowed[place] = False
            seen.add(str(reading.track_id))
    known = sorted(r.duration_seconds for r in readings if r.duration_seconds)
    usual = known[len(known) // 2] if known else _USUAL_SECONDS
    seconds = [r.duration_seconds or usual for r in readings]
    slots = min(_slots(request, usual), int(allowed.sum()))
    return Plan(
        request=request,
        readings=readings,
        costs=costs_for(request, readings, has_curve=bool(request.energy_curve)),
        seconds=seconds,
        allowed=allowed,
        include=list(dict.fromkeys(wanted["include"])),
        slots=slots,
    )


def _slots(request: BuildRequest, usual_seconds: float) -> int:
    if request.count is not None or request.minutes is None:
        return request.count or 0
    step = max(usual_seconds - request.overlap_seconds, 10.0)
    return max(1, min(500, int(request.minutes * 60.0 / step + 0.5)))


def problem_of(plan: Plan) -> Problem:
    request = plan.request
    fixed = _fixed(plan)
    include = [place for place in plan.include if place not in fixed.values()]
    if len(fixed) + len(include) > plan.slots:
        raise Malformed(
            f"{len(fixed) + len(include)} tracks must be played, but the set has {plan.slots} places. "
            "Make it longer or leave some out."
        )
    caps = []
    if request.max_per_artist is not None or request.artist_gap:
        artists = [r.artist for r in plan.readings]
        caps.append(Cap("max_per_artist", artists, request.max_per_artist, request.artist_gap))
    if request.max_per_album is not None:
        caps.append(Cap("max_per_album", [r.record for r in plan.readings], request.max_per_album))
    if request.max_per_label is not None:
        caps.append(Cap("max_per_label", [r.label for r in plan.readings], request.max_per_label))
    price = int(_GENRE_WEIGHT * FULL * request.weights.genres)
    shares = [
        Share(
            genre, np.array([_folded(genre) in r.genres for r in plan.readings], dtype=np.bool_), share, price
        )
        for genre, share in request.genres.items()
    ]
    timed = request.minutes is not None
    wanted_ms = 0
    if request.minutes is not None:
        wanted_ms = int(request.minutes * 60_000 + max(plan.slots - 1, 0) * request.overlap_seconds * 1000)
    return Problem(
        costs=plan.costs,
        slots=plan.slots,
        place_costs=_place_costs(plan),
        fixed=fixed,
        include=include,
        allowed=plan.allowed,
        caps=caps,
        shares=shares,
        durations=np.array([int(s * 1000) for s in plan.seconds], dtype=np.int64) if timed else None,
        wanted_duration=wanted_ms,
        duration_price=_SECOND_OFF_COSTS if timed else 0,
    )


def _folded(genre: str) -> str:
    return " ".join(genre.casefold().split())


def _fixed(plan: Plan) -> dict[int, int]:
    request = plan.request
    places = Places(plan.readings)
    wishes = [(slot.position, slot.track_id) for slot in request.slots]
    wishes += [(1, request.first)] if request.first is not None else []
    wishes += [(-1, request.last)] if request.last is not None else []
    fixed: dict[int, int] = {}
    for position, track_id in wishes:
        slot = position - 1 if position > 0 else plan.slots + position
        if position == 0 or not 0 <= slot < plan.slots:
            raise Malformed(f"Position {position} is outside the set, which has {plan.slots} tracks.")
        place = places.of(track_id, f"position {position}")
        if fixed.get(slot, place) != place:
            raise Malformed(f"Two different tracks are fixed at position {slot + 1}.")
        if any(other != slot and taken == place for other, taken in fixed.items()):
            raise Malformed(f"The track {track_id!r} is fixed at two positions; it can be played once.")
        fixed[slot] = place
    return fixed


def _place_costs(plan: Plan) -> Ints:
    costs = np.zeros((plan.slots, len(plan.readings)), dtype=np.int32)
    targets = energy_targets(plan.request.energy_curve, plan.slots)
    if targets is not None:
        energy = np.array([np.nan if r.energy is None else r.energy for r in plan.readings])
        off = np.abs(energy[None, :] - np.array(targets)[:, None])
        off = np.where(np.isnan(off), _NO_ENERGY_DEVIATION, off)
        costs += np.floor(off * (_CURVE_WEIGHT * FULL * plan.request.weights.curve)).astype(np.int32)
    limits = tempo_limits(plan.request.tempo_corridor, plan.slots)
    if limits is not None:
        bpm = np.array([r.bpm if r.bpm else np.nan for r in plan.readings])[None, :]
        low = np.array([limit[0] for limit in limits])[:, None]
        high = np.array([limit[1] for limit in limits])[:, None]
        costs += HARD * ((bpm < low) | (bpm > high))
    return costs


def answer_of(plan: Plan, problem: Problem, found: Chosen | None, started: float) -> SetResult:
    places = found.places if found else []
    steps = max(len(places) - 1, 0)
    request, costs = plan.request, plan.costs
    came = np.flatnonzero(plan.allowed)[: len(places)].tolist()
    wished = energy_targets(request.energy_curve, len(places))
    total = sum(plan.seconds[place] for place in places) - steps * request.overlap_seconds
    pairs = explain.transitions(costs, places)
    score = costs.score(soft_cost(costs, places), steps)
    greedy_score = costs.score(soft_cost(costs, greedy(plan, problem)), steps)
    notes = explain.duplicates(costs, "only the first of each was considered")
    if score < greedy_score:
        notes.append("A greedy set has smoother transitions, but it keeps your other wishes less well.")
    return SetResult(
        result=tracks_at(request.pool, places),
        seed=request.seed,
        score=score,
        parts=explain.mean_parts(costs, places),
        transitions=pairs,
        missing=[item for item in explain.missing(costs) if item.position in set(places)],
        notes=notes,
        generations=found.generations if found else 0,
        stopped_by="time_budget" if found and found.stopped_by == "time_budget" else "done",
        elapsed_ms=int((time.monotonic() - started) * 1000),
        minutes=round(total / 60.0, 3) if places else 0.0,
        energy_deviation=explain.energy_deviation(costs, places, wished),
        harmonic_share=explain.harmonic_share(pairs),
        unmet=unmet_wishes(request, problem, places, total),
        input_score=costs.score(soft_cost(costs, came), steps),
        greedy_score=greedy_score,
    )


def tracks_at(pool: Sequence[TrackObject], places: Sequence[int]) -> list[TrackObject]:
    return [pool[place] for place in places]


def soft_cost(costs: Costs, places: Sequence[int]) -> int:
    """Transitions by the model alone, so that scores compare whatever the limits were."""
    return sum(costs.cost(a, b) for a, b in itertools.pairwise(places))


def greedy(plan: Plan, problem: Problem) -> list[int]:
    """Slot by slot the cheapest next track, curve and corridor included; fixed slots stay."""
    places: list[int] = []
    free = plan.allowed.copy()
    free[list(problem.fixed.values())] = False
    for slot in range(plan.slots):
        if slot in problem.fixed:
            places.append(problem.fixed[slot])
            continue
        prices = problem.place_costs[slot].astype(np.int64)
        if places:
            prices += plan.costs.row(places[-1])
        prices[~free] = np.iinfo(np.int64).max
        places.append(int(prices.argmin()))
        free[places[-1]] = False
    return places
