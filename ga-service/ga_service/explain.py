"""Says why: each transition in numbers and in a line that a DJ understands."""

import itertools
from collections.abc import Sequence

from dj_contracts.sets import MissingData, Transition
from ga_service import model
from ga_service.costs import Costs
from ga_service.model import FULL, PARTS


def transitions(costs: Costs, order: Sequence[int]) -> list[Transition]:
    return [transition(costs, a, b) for a, b in itertools.pairwise(order)]


def transition(costs: Costs, a: int, b: int) -> Transition:
    ra, rb = costs.readings[a], costs.readings[b]
    parts = costs.parts(a, b)
    words: list[str] = []
    key_move = without_lock = None
    tempo = model.tempo_move(ra.bpm, rb.bpm) if ra.bpm and rb.bpm else None
    if ra.key and rb.key:
        key_move = model.key_move_words(ra.key, rb.key)
        if tempo:
            without_lock = model.key_move_words(ra.key, model.heard_key(rb.key, tempo.ratio))
        words.append(
            key_move if costs.key_lock or without_lock is None else f"without key lock {without_lock}"
        )
    else:
        words.append("key unknown")
    if tempo and ra.bpm and rb.bpm:
        words.append(_tempo_words(ra.bpm, rb.bpm, tempo))
    else:
        words.append("tempo unknown")
    energy_change = None
    if ra.energy is not None and rb.energy is not None:
        energy_change = round(rb.energy - ra.energy, 4)
        if abs(energy_change) > 0.1:
            words.append(f"energy {'up' if energy_change > 0 else 'down'} {abs(energy_change):.2f}")
        else:
            words.append("energy holds")
    if parts["variety"] < FULL:
        words.append(
            {model.SAME_ARTIST: "same artist", model.SAME_RECORD: "same record"}.get(
                parts["variety"], "same artist and record"
            )
        )
    return Transition(
        from_track_id=ra.track_id,
        to_track_id=rb.track_id,
        score=costs.score(costs.cost(a, b), 1),
        tempo_change_percent=round(tempo.change_percent, 2) if tempo else None,
        key_move=key_move,
        energy_change=energy_change,
        reason="; ".join(words),
        tempo_from=ra.bpm,
        tempo_to=rb.bpm,
        tempo_factor=tempo.factor if tempo else None,
        key_move_without_lock=without_lock,
        harmonic=model.is_compatible(ra.key, heard) if ra.key and (heard := costs.heard(a, b)) else None,
        parts={part: parts[part] / FULL for part in PARTS if costs.part_weights[part]},
    )


def mean_parts(costs: Costs, order: Sequence[int]) -> dict[str, float]:
    pairs = list(itertools.pairwise(order))
    judged = [costs.parts(a, b) for a, b in pairs]
    return {
        part: round(sum(scores[part] for scores in judged) / (FULL * len(judged)), 4)
        for part in PARTS
        if judged and costs.part_weights[part]
    }


def missing(costs: Costs) -> list[MissingData]:
    return [
        MissingData(track_id=reading.track_id, position=place, problems=list(reading.problems))
        for place, reading in enumerate(costs.readings)
        if reading.problems
    ]


def duplicates(costs: Costs, what: str = "each occurrence was kept") -> list[str]:
    ids = [str(reading.track_id) for reading in costs.readings if reading.track_id is not None]
    repeated = (
        sorted({track_id for track_id in ids if ids.count(track_id) > 1}) if len(ids) > len(set(ids)) else []
    )
    if not repeated:
        return []
    shown = ", ".join(repeated[:5]) + (", ..." if len(repeated) > 5 else "")
    return [f"{len(repeated)} track ids occur more than once ({shown}); {what}."]


def _tempo_words(a: float, b: float, move: model.TempoMove) -> str:
    factor = {2.0: " (counted double)", 0.5: " (counted half)"}.get(move.factor, "")
    tempo = f"{a:g} to {b:g} BPM{factor}"
    if abs(move.change_percent) < 0.05:
        return f"{tempo}, no pitch change"
    fits = "" if abs(move.change_percent) <= model.COMFORTABLE_PITCH_PERCENT else ", too far to match"
    return f"{tempo}, pitch {move.change_percent:+.1f} %{fits}"


def harmonic_share(pairs: Sequence[Transition]) -> float | None:
    known = [pair.harmonic for pair in pairs if pair.harmonic is not None]
    return round(sum(known) / len(known), 4) if known else None


def energy_deviation(costs: Costs, places: Sequence[int], targets: Sequence[float] | None) -> float | None:
    """The mean distance from the wanted energy over the tracks whose energy is known."""
    if targets is None:
        return None
    off = [
        abs(energy - target)
        for place, target in zip(places, targets, strict=True)
        if (energy := costs.readings[place].energy) is not None
    ]
    return round(sum(off) / len(off), 4) if off else None
