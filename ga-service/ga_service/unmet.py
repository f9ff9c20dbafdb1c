"""Says which wishes a finished set does not fulfil, and why."""

import itertools
from collections import Counter
from collections.abc import Sequence

from dj_contracts.set_building import BuildRequest, Unmet
from ga_service.curves import tempo_limits
from ga_service.problem import Problem

_MOST_TOLD = 50


def unmet_wishes(
    request: BuildRequest, problem: Problem, places: Sequence[int], seconds: float
) -> list[Unmet]:
    found: list[Unmet] = []
    readings = problem.costs.readings
    if request.count is not None and len(places) < request.count:
        found.append(
            Unmet(
                constraint="count",
                detail=f"Only {len(places)} different tracks may be played; {request.count} wanted.",
            )
        )
    if request.minutes is not None:
        off = seconds / 60.0 - request.minutes
        if abs(off) > max(1.0, 0.03 * request.minutes):
            found.append(
                Unmet(
                    constraint="minutes",
                    detail=f"The set is {abs(off):.1f} minutes too {'long' if off > 0 else 'short'}: "
                    "no choice of these tracks came closer within the other wishes.",
                )
            )
    for slot, (a, b) in enumerate(itertools.pairwise(places), 1):
        for broken in problem.costs.breaks(a, b):
            what = "is no harmonic move" if broken == "harmonic" else "needs more pitch than allowed"
            pair = f"From {readings[a].track_id!r} to {readings[b].track_id!r}"
            detail = f"{pair} {what}; nothing better fitted there."
            found.append(Unmet(constraint=broken, detail=detail, position=slot + 1))
    limits = tempo_limits(request.tempo_corridor, len(places))
    for slot, place in enumerate(places if limits else []):
        low, high = limits[slot] if limits else (0.0, 0.0)
        bpm = readings[place].bpm
        if bpm is not None and not low <= bpm <= high:
            detail = f"{bpm:g} BPM is outside {low:.1f}-{high:.1f}."
            found.append(Unmet(constraint="tempo_corridor", detail=detail, position=slot + 1))
    for cap in problem.caps:
        names = [cap.names[place] for place in places]
        for name, count in sorted(Counter(name for name in names if name is not None).items()):
            if cap.most is not None and count > cap.most:
                detail = f"{name!r} is played {count} times; {cap.most} allowed."
                found.append(Unmet(constraint=cap.name, detail=detail))
        last: dict[str, int] = {}
        for slot, played in enumerate(names):
            if played is None:
                continue
            if played in last and slot - last[played] <= cap.gap:
                detail = f"{played!r} comes again after {slot - last[played]} tracks."
                found.append(Unmet(constraint="artist_gap", detail=detail, position=slot + 1))
            last[played] = slot
    for share in problem.shares:
        count = int(share.has[list(places)].sum()) if places else 0
        if abs(count - share.wanted * len(places)) >= 1.0:
            detail = f"{share.genre!r} is {count} of {len(places)} tracks; {share.wanted:.0%} wanted."
            found.append(Unmet(constraint="genres", detail=detail))
    return found[:_MOST_TOLD]
