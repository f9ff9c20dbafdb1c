"""Wishes that run along a set: energy curves and tempo corridors, straight lines between their points."""

import itertools
from collections.abc import Sequence

from dj_contracts.set_building import CurvePoint, CurvePreset, TempoGate

_PRESETS: dict[CurvePreset, tuple[tuple[float, float], ...]] = {
    CurvePreset.FLAT: ((0, 0.6),),
    CurvePreset.WARM_UP: ((0, 0.25), (1, 0.65)),
    CurvePreset.PEAK_TIME: ((0, 0.65), (0.3, 0.85), (0.8, 0.95), (1, 0.85)),
    CurvePreset.JOURNEY: ((0, 0.3), (0.35, 0.6), (0.7, 0.9), (1, 0.5)),
    CurvePreset.COOL_DOWN: ((0, 0.75), (1, 0.25)),
    CurvePreset.WAVES: ((0, 0.4), (0.2, 0.75), (0.4, 0.5), (0.65, 0.9), (0.8, 0.6), (1, 0.8)),
}


def energy_targets(curve: CurvePreset | list[CurvePoint] | None, slots: int) -> list[float] | None:
    """The wanted energy of each slot, 0-1."""
    if curve is None or curve == []:
        return None
    points = (
        _PRESETS[curve]
        if isinstance(curve, CurvePreset)
        else tuple(sorted((point.at, point.energy) for point in curve))
    )
    return [along(points, how_far(slot, slots)) for slot in range(slots)]


def tempo_limits(gates: Sequence[TempoGate], slots: int) -> list[tuple[float, float]] | None:
    if not gates:
        return None
    low = tuple(sorted((gate.at, gate.low) for gate in gates))
    high = tuple(sorted((gate.at, gate.high) for gate in gates))
    return [(along(low, how_far(slot, slots)), along(high, how_far(slot, slots))) for slot in range(slots)]


def how_far(slot: int, slots: int) -> float:
    return slot / (slots - 1) if slots > 1 else 0.0


def along(points: Sequence[tuple[float, float]], x: float) -> float:
    """Straight lines through the points, level before the first and after the last."""
    if x <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if x <= x1:
            return y1 if x1 == x0 else y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return points[-1][1]
