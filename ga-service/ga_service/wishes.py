"""Turns what a request says about transitions into costs, and finds tracks by the ids it names."""

from collections.abc import Sequence

from dj_contracts.set_building import HarmonicRules, TransitionRules
from dj_contracts.sets import TrackID
from dj_servicekit.errors import Malformed
from ga_service.costs import Costs, KeyTable
from ga_service.model import FULL, Weights
from ga_service.tracks import Reading


def costs_for(rules: TransitionRules, readings: Sequence[Reading], *, has_curve: bool = False) -> Costs:
    usual = Weights()
    wanted = rules.weights
    return Costs(
        readings,
        Weights(
            key=0 if rules.harmonic is HarmonicRules.FREE else _whole(usual.key * wanted.key),
            tempo=_whole(usual.tempo * wanted.tempo),
            # With a curve, the curve says which steps in energy are wanted.
            energy=0 if has_curve else _whole(usual.energy * wanted.energy),
            sound=_whole(usual.sound * wanted.sound),
            variety=_whole(usual.variety * wanted.variety),
        ),
        key_table=key_table(rules),
        strict_keys=rules.harmonic is HarmonicRules.STRICT,
        max_pitch_percent=rules.max_pitch_percent,
        key_lock=rules.key_lock,
    )


def key_table(rules: TransitionRules) -> KeyTable | None:
    table: KeyTable = {}
    for name, score in rules.key_table.items():
        modes, steps = name.split("+")
        a, b = modes.split(">")
        table[a, b, int(steps)] = _whole(score * FULL)
    return table or None


def _whole(number: float) -> int:
    return int(number + 0.5)


class Places:
    """Where each id is in the pool; an id that occurs twice means its first occurrence."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        self._place: dict[str, int] = {}
        for place, reading in enumerate(readings):
            if reading.track_id is not None:
                self._place.setdefault(str(reading.track_id), place)

    def of(self, track_id: TrackID, what: str) -> int:
        if (place := self._place.get(str(track_id))) is None:
            raise Malformed(
                f"{what} names the track {track_id!r}, which is not in the pool. Add it or leave it out."
            )
        return place

    def find(self, track_id: TrackID) -> int | None:
        return self._place.get(str(track_id))
