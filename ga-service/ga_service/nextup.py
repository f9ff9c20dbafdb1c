"""``/next``: what to play after this, out of thousands, while the DJ looks at the screen."""

import time
from collections.abc import Callable

import numpy as np

from dj_contracts.set_building import EnergyWish, NextChoice, NextRequest, NextResult
from dj_servicekit.errors import Malformed
from ga_service import explain
from ga_service.build import MOST_CANDIDATES
from ga_service.costs import HARD
from ga_service.model import FULL
from ga_service.tracks import read_tracks
from ga_service.wishes import costs_for

Progress = Callable[[dict[str, object]], None]

_WISHED_STEP = {EnergyWish.UP: 0.15, EnergyWish.HOLD: 0.0, EnergyWish.DOWN: -0.15}
_WISH_WEIGHT = 800
_RECENT_ARTIST_WEIGHT = 60


def next_up(request: NextRequest, progress: Progress | None = None) -> NextResult:
    del progress  # over before it could be told
    started = time.monotonic()
    if len(request.candidates) > MOST_CANDIDATES:
        raise Malformed(f"{len(request.candidates)} candidates are too many; send at most {MOST_CANDIDATES}.")
    everything = [*request.candidates, request.current, *request.recent]
    readings = read_tracks(everything)
    many = len(request.candidates)
    costs = costs_for(request, readings, has_curve=request.energy is not None)
    prices = costs.row(many).astype(np.int64)
    if request.energy is not None and (energy_now := readings[many].energy) is not None:
        wanted = min(1.0, max(0.0, energy_now + _WISHED_STEP[request.energy]))
        energy = np.array([np.nan if r.energy is None else r.energy for r in readings])
        off = np.where(np.isnan(energy), 0.3, np.abs(energy - wanted))
        prices += np.floor(off * (_WISH_WEIGHT * FULL)).astype(np.int64)
    recent_artists = {reading.artist for reading in readings[many + 1 :]} - {None}
    gone = {str(track_id) for track_id in request.exclude}
    gone |= {str(reading.track_id) for reading in readings[many:] if reading.track_id is not None}
    for place, reading in enumerate(readings[:many]):
        if reading.artist in recent_artists:
            prices[place] += _RECENT_ARTIST_WEIGHT * FULL
        if reading.track_id is not None and str(reading.track_id) in gone:
            prices[place] = np.iinfo(np.int64).max
    prices[many:] = np.iinfo(np.int64).max
    ranked = np.argsort(prices[:many], kind="stable")
    chosen: list[int] = []
    seen: set[str] = set()
    limited = False
    for place in ranked.tolist():
        if len(chosen) == request.limit or prices[place] == np.iinfo(np.int64).max:
            break
        if prices[place] >= int(HARD):
            limited = True
            break
        reading = readings[place]
        if reading.track_id is not None:
            if str(reading.track_id) in seen:
                continue
            seen.add(str(reading.track_id))
        chosen.append(place)
    notes = ["No more candidates keep inside the limits."] if limited and len(chosen) < request.limit else []
    moves = [explain.transition(costs, many, place) for place in chosen]
    shown = set(chosen) | {many}
    return NextResult(
        choices=[
            NextChoice(track=request.candidates[place], score=move.score, transition=move)
            for place, move in zip(chosen, moves, strict=True)
        ],
        missing=[item for item in explain.missing(costs) if item.position in shown],
        notes=notes,
        elapsed_ms=int((time.monotonic() - started) * 1000),
    )
