"""Costs of transitions for many tracks at once: the model of ``model.py`` over arrays of whole numbers.

A cost is the weighted sum of what each part lacks of a full score, so 0 is a perfect transition and
``worst`` the worst; ``score`` turns it back into 0-1. Rows are made when asked for: choosing 60 of
5,000 tracks needs a few hundred rows, never the whole square.
"""

import itertools
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dj_contracts.keys import ALL_KEYS, Key
from ga_service import model
from ga_service.model import FULL, NEUTRAL, PARTS, Weights
from ga_service.tracks import Reading

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
Places = NDArray[np.intp]
KeyTable = dict[tuple[str, str, int], int]

_NO_KEY = 24
_MOST_BYTES_KEPT = 60_000_000
# The price of a broken limit: dearer than any saving elsewhere in the same neighbourhood.
HARD = np.int32(20_000_000)


class Costs:
    """The transition costs among some tracks, by their places in the list."""

    def __init__(
        self,
        readings: Sequence[Reading],
        weights: Weights = Weights(),  # noqa: B008 - frozen
        *,
        key_table: KeyTable | None = None,
        strict_keys: bool = False,
        max_pitch_percent: float | None = None,
        key_lock: bool = True,
    ) -> None:
        self.readings = readings
        self.key_lock = key_lock
        self._strict_keys = strict_keys
        self._max_pitch_percent = max_pitch_percent
        self.weights = weights
        self._key_scores = _key_scores(key_table)
        self._clashes = _clashes()
        self._key = np.array([_key_index(r.key) for r in readings], dtype=np.intp)
        self._bpm = np.array([r.bpm if r.bpm else np.nan for r in readings], dtype=np.float64)
        self._energy = np.array(
            [np.nan if r.energy is None else r.energy for r in readings], dtype=np.float64
        )
        self._artist = _codes([r.artist for r in readings])
        self._record = _codes([r.record for r in readings])
        self._sound, self._has_sound = _embeddings(readings)
        judged = {
            "key": bool((self._key != _NO_KEY).any()),
            "tempo": bool(np.isfinite(self._bpm).any()),
            "energy": bool(np.isfinite(self._energy).any()),
            "sound": bool(self._has_sound.any()),
            "variety": bool((self._artist >= 0).any() or (self._record >= 0).any()),
        }
        self.part_weights = {part: weights.of(part) if judged[part] else 0 for part in PARTS}
        self.total_weight = sum(self.part_weights.values())
        self.worst = FULL * max(self.total_weight, 1)
        self._rows: dict[int, Ints] = {}
        self._columns: dict[int, Ints] = {}

    def __len__(self) -> int:
        return len(self.readings)

    def parts(self, a: int, b: int) -> dict[str, int]:
        """The score of each part of one transition, for an explanation."""
        ra, rb = self.readings[a], self.readings[b]
        scores = dict(NEUTRAL)
        if ra.key and (heard := self.heard(a, b)):
            scores["key"] = int(self._key_scores[_key_index(ra.key), _key_index(heard)])
        if ra.bpm and rb.bpm:
            scores["tempo"] = model.tempo_score(ra.bpm, rb.bpm)
        if ra.energy is not None and rb.energy is not None:
            scores["energy"] = model.energy_score(ra.energy, rb.energy)
        if self._has_sound[a] and self._has_sound[b]:
            scores["sound"] = int(_sound_scores(self._sound[a : a + 1], self._sound[b : b + 1])[0, 0])
        scores["variety"] = model.variety_score(
            same_artist=bool(self._artist[a] >= 0 and self._artist[a] == self._artist[b]),
            same_record=bool(self._record[a] >= 0 and self._record[a] == self._record[b]),
        )
        return scores

    def heard(self, a: int, b: int) -> Key | None:
        """The key in which b is heard after a: its own, but for the fader's shift without key lock."""
        ra, rb = self.readings[a], self.readings[b]
        if self.key_lock or not (rb.key and ra.bpm and rb.bpm):
            return rb.key
        return model.heard_key(rb.key, model.tempo_move(ra.bpm, rb.bpm).ratio)

    def breaks(self, a: int, b: int) -> list[str]:
        """The limits that one transition breaks. What is not known breaks none."""
        ra, rb = self.readings[a], self.readings[b]
        broken = []
        heard = self.heard(a, b)
        if self._strict_keys and ra.key and heard and not model.is_compatible(ra.key, heard):
            broken.append("harmonic")
        if self._max_pitch_percent is not None and ra.bpm and rb.bpm:
            percent = min(model.fader_percent(ra.bpm, rb.bpm * factor) for factor in model.FACTORS)
            if percent > self._max_pitch_percent:
                broken.append("max_pitch_percent")
        return broken

    def cost(self, a: int, b: int) -> int:
        scores = self.parts(a, b)
        return sum(self.part_weights[part] * (FULL - scores[part]) for part in PARTS)

    def score(self, cost: float, transitions: int) -> float:
        """0-1 for the sum of the costs of so many transitions; a set without transitions is perfect."""
        return round(1.0 - cost / (self.worst * transitions), 6) if transitions > 0 else 1.0

    def row(self, a: int) -> Ints:
        """The costs from one track to each, broken limits included."""
        if a not in self._rows:
            self._make_room(self._rows)
            self._rows[a] = self.block(np.array([a]), slice(None))[0]
        return self._rows[a]

    def column(self, b: int) -> Ints:
        """The costs from each track to one."""
        if b not in self._columns:
            self._make_room(self._columns)
            self._columns[b] = np.ascontiguousarray(self.block(slice(None), np.array([b]))[:, 0])
        return self._columns[b]

    def _make_room(self, kept: dict[int, Ints]) -> None:
        if len(kept) * len(self) * 4 > _MOST_BYTES_KEPT:
            kept.clear()

    @cached_property
    def matrix(self) -> Ints:
        """All of them, in strips, so that the working arrays stay small."""
        n = len(self)
        whole = np.empty((n, n), dtype=np.int32)
        for start in range(0, n, 128):
            strip = slice(start, min(n, start + 128))
            whole[strip] = self.block(strip, slice(None))
        return whole

    def along(self, order: Sequence[int]) -> int:
        """The cost of an order as it is."""
        if len(order) < 2:
            return 0
        if "matrix" in self.__dict__:
            return int(self.matrix[np.array(order[:-1]), np.array(order[1:])].sum(dtype=np.int64))
        return sum(self.cost(a, b) for a, b in itertools.pairwise(order))

    def block(self, rows: slice | Places, columns: slice | Places) -> Ints:
        """The costs from some tracks to others, with ``HARD`` added for each broken limit."""
        total = np.zeros((len(self._bpm[rows]), len(self._bpm[columns])), dtype=np.int32)
        weight = self.part_weights
        if weight["key"]:
            scores = self._by_key(self._key_scores, rows, columns)
            total += np.int32(weight["key"]) * (FULL - scores)
        if weight["tempo"]:
            scores = tempo_scores(self._bpm[rows, None], self._bpm[None, columns])
            total += np.int32(weight["tempo"]) * (FULL - scores)
        if weight["energy"]:
            step = np.abs(self._energy[rows, None] - self._energy[None, columns])
            scores = np.where(np.isnan(step), NEUTRAL["energy"], on_knees(step, model.ENERGY_KNEES))
            total += np.int32(weight["energy"]) * (FULL - scores.astype(np.int32))
        if weight["sound"]:
            both = self._has_sound[rows, None] & self._has_sound[None, columns]
            scores = np.where(both, _sound_scores(self._sound[rows], self._sound[columns]), NEUTRAL["sound"])
            total += np.int32(weight["sound"]) * (FULL - scores.astype(np.int32))
        if weight["variety"]:
            artist = (self._artist[rows, None] == self._artist[None, columns]) & (
                self._artist[rows, None] >= 0
            )
            record = (self._record[rows, None] == self._record[None, columns]) & (
                self._record[rows, None] >= 0
            )
            scores = np.select(
                [artist & record, record, artist],
                [model.SAME_BOTH, model.SAME_RECORD, model.SAME_ARTIST],
                FULL,
            )
            total += np.int32(weight["variety"]) * (FULL - scores.astype(np.int32))
        if self._strict_keys:
            total += HARD * self._by_key(self._clashes, rows, columns)
        if self._max_pitch_percent is not None:
            a, b = self._bpm[rows, None], self._bpm[None, columns]
            percent = np.minimum(_fader(a, b), np.minimum(_fader(a, b * 2.0), _fader(a, b * 0.5)))
            total += HARD * (percent > self._max_pitch_percent)
        return total

    def _by_key(self, table: Ints, rows: slice | Places, columns: slice | Places) -> Ints:
        """What a table over keys says of each pair, the second key as it is heard."""
        if self.key_lock:
            by_key: Ints = table[self._key[rows]][:, self._key[columns]]
            return by_key
        shift = _semitones(self._bpm[rows, None], self._bpm[None, columns])
        key = np.broadcast_to(self._key[None, columns], shift.shape)
        heard = np.where(key == _NO_KEY, key, (key + shift) % 12 + 12 * (key >= 12))
        shifted: Ints = table[self._key[rows, None], heard]
        return shifted


def tempo_scores(a: Floats, b: Floats) -> Ints:
    """``model.tempo_score`` for every pair; a missing tempo (nan) is neutral."""
    straight = on_knees(_fader(a, b), model.TEMPO_KNEES)
    double = on_knees(_fader(a, b * 2.0), model.TEMPO_KNEES)
    half = on_knees(_fader(a, b / 2.0), model.TEMPO_KNEES)
    folded = np.maximum(double, half) - model.HALF_OR_DOUBLE_COST
    best = np.maximum(np.maximum(straight, folded), 0)
    return np.where(np.isnan(a) | np.isnan(b), NEUTRAL["tempo"], best).astype(np.int32)


def _semitones(a: Floats, b: Floats) -> NDArray[np.intp]:
    """How far the fader shifts b's key when b is brought to a, as ``model.heard_key`` has it."""
    ratios = np.stack([a / (b * factor) for factor in model.FACTORS])
    folded = np.stack([_fader(a, b * factor) for factor in model.FACTORS])
    best = np.nanargmin(np.where(np.isnan(folded), np.inf, folded), axis=0)
    ratio = np.take_along_axis(ratios, best[None], axis=0)[0]
    ratio = np.where(np.isnan(ratio), 1.0, ratio)
    up: NDArray[np.intp] = np.searchsorted(model.SHIFT_BOUNDS, ratio)
    return up - np.searchsorted(model.SHIFT_BOUNDS, 1.0 / ratio)


def _fader(a: Floats, b: Floats) -> Floats:
    percent: Floats = (np.maximum(a, b) / np.minimum(a, b) - 1.0) * 100.0
    return percent


def on_knees(x: Floats, knees: tuple[tuple[float, int], ...]) -> Floats:
    """``model.on_knees`` over an array, by the same operations in the same order."""
    result: Floats = np.full(x.shape, float(knees[-1][1]))
    for (x0, y0), (x1, y1) in reversed(list(itertools.pairwise(knees))):
        result = np.where(x <= x1, np.floor(y0 + (y1 - y0) * (x - x0) / (x1 - x0) + 0.5), result)
    return result


def _key_scores(table: KeyTable | None) -> Ints:
    scores = np.full((_NO_KEY + 1, _NO_KEY + 1), NEUTRAL["key"], dtype=np.int32)
    for i, a in enumerate(ALL_KEYS):
        for j, b in enumerate(ALL_KEYS):
            scores[i, j] = model.key_score(a, b, table)
    return scores


def _clashes() -> Ints:
    clashes = np.zeros((_NO_KEY + 1, _NO_KEY + 1), dtype=np.int32)
    for i, a in enumerate(ALL_KEYS):
        for j, b in enumerate(ALL_KEYS):
            clashes[i, j] = not model.is_compatible(a, b)
    return clashes


def _key_index(key: Key | None) -> int:
    return _NO_KEY if key is None else key.tonic + (12 if key.mode == "minor" else 0)


def _codes(names: list[str | None]) -> Ints:
    seen: dict[str, int] = {}
    return np.array(
        [-1 if name is None else seen.setdefault(name, len(seen)) for name in names], dtype=np.int32
    )


def _embeddings(readings: Sequence[Reading]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Vectors of the commonest length; others count as missing, since they cannot be compared."""
    lengths = [len(r.embedding) for r in readings if r.embedding]
    dims = max(sorted(set(lengths)), key=lengths.count) if lengths else 0
    has = np.array([r.embedding is not None and len(r.embedding) == dims for r in readings], dtype=np.bool_)
    vectors = np.zeros((len(readings), dims), dtype=np.float32)
    for place in np.flatnonzero(has).tolist():
        vectors[place] = readings[place].embedding
    return vectors, has


def _sound_scores(a: NDArray[np.float32], b: NDArray[np.float32]) -> Floats:
    # Vectors are whole numbers of length 1000, so every partial sum is a whole number below 2**21:
    # exact in float32, whatever the order in which a machine's BLAS adds them up.
    cosine = (a @ b.T).astype(np.float64) / 1_000_000.0
    scores: Floats = np.floor(np.clip(cosine, 0.0, 1.0) * FULL)
    return scores
