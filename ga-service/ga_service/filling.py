"""The moves of the search for a set: first sets, the best track for a slot, exchanges, kicks, crossing."""

import itertools
import random
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ga_service.costs import HARD
from ga_service.problem import Longs, Problem

KICKS_A_BURST = 10
# A set may miss its length by so much for nothing: nobody hears it, and better tracks fit.
FREE_MILLISECONDS = 30_000
_CANDIDATES_A_LAYER = 150
_REORDER_TRIES_PER_SLOT = 24


class Filling:
    """The moves of the search over one problem."""

    def __init__(self, problem: Problem, rng: random.Random) -> None:
        self.problem = problem
        self.rng = rng
        self.must = set(problem.fixed.values()) | set(problem.include)
        self.allowed = np.flatnonzero(problem.allowed)

    def cost(self, places: Sequence[int]) -> int:
        """The whole price of a set, every term from scratch."""
        problem = self.problem
        row = problem.costs.row
        total = sum(int(row(a)[b]) for a, b in itertools.pairwise(places))
        total += int(problem.place_costs[np.arange(len(places)), list(places)].sum(dtype=np.int64))
        for cap in problem.caps:
            names = [cap.names[place] for place in places]
            if cap.most is not None:
                counts: dict[str, int] = {}
                for name in names:
                    if name is not None:
                        counts[name] = counts.get(name, 0) + 1
                total += int(HARD) * sum(max(0, count - cap.most) for count in counts.values())
            last: dict[str, int] = {}
            for slot, name in enumerate(names):
                if name is not None:
                    if slot - last.get(name, -10_000) <= cap.gap:
                        total += int(HARD)
                    last[name] = slot
        for share in problem.shares:
            count = int(share.has[list(places)].sum())
            total += int(share.price * abs(count - share.wanted * problem.slots))
        if problem.durations is not None:
            off = abs(int(problem.durations[list(places)].sum()) - problem.wanted_duration)
            total += max(off - FREE_MILLISECONDS, 0) * problem.duration_price // 1000
        missing = set(problem.include).difference(places)
        return total + 2 * int(HARD) * (len(missing) + len(places) - len(set(places)))

    def first_set(self, *, shared: bool) -> list[int]:
        """The cheapest walk through layers of candidates, then the must-haves put where they hurt least."""
        layers = self._layers(shared=shared)
        best: Longs = self.problem.place_costs[0, layers[0]].astype(np.int64)
        back: list[NDArray[np.intp]] = []
        for slot in range(1, self.problem.slots):
            reach = best[:, None] + self.problem.costs.block(layers[slot - 1], layers[slot])
            reach += HARD * 2 * (layers[slot - 1][:, None] == layers[slot][None, :])
            came_from = reach.argmin(axis=0)
            back.append(came_from)
            best = (
                reach[came_from, np.arange(len(layers[slot]))] + self.problem.place_costs[slot, layers[slot]]
            )
        place = int(best.argmin())
        walk = [place]
        for came_from in reversed(back):
            place = int(came_from[place])
            walk.append(place)
        places = [int(layers[slot][place]) for slot, place in enumerate(reversed(walk))]
        self._place_must_haves(places)
        return self._without_repeats(places)

    def _layers(self, *, shared: bool) -> list[NDArray[np.intp]]:
        problem = self.problem
        prices = problem.place_costs[:, self.allowed]
        # A random tie-break deals the candidates out; with plenty, each serves one slot where it fits well.
        noise = np.array([self.rng.randrange(1000) for _ in self.allowed], dtype=np.int64)
        free = [slot for slot in range(problem.slots) if slot not in problem.fixed]
        deal = not shared and bool(free) and len(self.allowed) >= 4 * problem.slots
        home: dict[int, list[int]] = {slot: [] for slot in free}
        if deal:
            for column in np.argsort(noise, kind="stable").tolist():
                fits = prices[free, column] <= prices[free, column].min() + 20_000
                options = [slot for slot, fit in zip(free, fits.tolist(), strict=True) if fit]
                home[min(options, key=lambda slot: len(home[slot]))].append(int(self.allowed[column]))
        layers = []
        for slot in range(problem.slots):
            if slot in problem.fixed:
                layers.append(np.array([problem.fixed[slot]], dtype=np.intp))
                continue
            pool = np.array(home[slot], dtype=np.intp) if deal and home[slot] else self.allowed
            price = problem.place_costs[slot, pool]
            jitter = noise[: len(pool)]
            layers.append(pool[np.lexsort((jitter, price))[:_CANDIDATES_A_LAYER]])
        return layers

    def _place_must_haves(self, places: list[int]) -> None:
        costs = self.problem.costs
        for wanted in self.problem.include:
            if wanted in places:
                continue
            slots = [
                slot
                for slot in range(len(places))
                if slot not in self.problem.fixed and places[slot] not in self.must
            ]
            if not slots:
                return

            def extra(slot: int, wanted: int = wanted) -> int:
                total = int(self.problem.place_costs[slot, wanted])
                if slot > 0:
                    total += int(costs.row(places[slot - 1])[wanted])
                if slot + 1 < len(places):
                    total += int(costs.row(wanted)[places[slot + 1]])
                return total

            places[min(slots, key=extra)] = wanted

    def _without_repeats(self, places: list[int]) -> list[int]:
        seen: set[int] = set(self.problem.fixed.values())
        again = []
        for slot, place in enumerate(places):
            if slot in self.problem.fixed:
                continue
            if place in seen:
                again.append(slot)
            seen.add(place)
        for slot in again:
            places[slot] = self._cheapest(places, slot)
        return places

    def _prices(self, places: list[int], slot: int) -> Longs:
        """What each track of the pool would cost in this slot, all else as it is."""
        problem = self.problem
        prices: Longs = problem.place_costs[slot].astype(np.int64)
        if slot > 0:
            prices += problem.costs.row(places[slot - 1])
        if slot + 1 < len(places):
            prices += problem.costs.column(places[slot + 1])
        others = places[:slot] + places[slot + 1 :]
        for cap in problem.caps:
            if cap.most is not None:
                counts: dict[str, int] = {}
                for place in others:
                    if (name := cap.names[place]) is not None:
                        counts[name] = counts.get(name, 0) + 1
                for name, count in counts.items():
                    if count >= cap.most:
                        prices[cap.members[name]] += HARD
            for near in range(max(0, slot - cap.gap), min(len(places), slot + cap.gap + 1)):
                name_near = cap.names[places[near]]
                if near != slot and name_near is not None:
                    prices[cap.members[name_near]] += HARD
        for share in problem.shares:
            count = int(share.has[others].sum())
            goal = share.wanted * problem.slots
            with_it = int(share.price * abs(count + 1 - goal))
            without = int(share.price * abs(count - goal))
            prices += np.where(share.has, with_it, without)
        if problem.durations is not None:
            rest = int(problem.durations[others].sum()) - problem.wanted_duration
            off = np.maximum(np.abs(problem.durations + rest) - FREE_MILLISECONDS, 0)
            prices += off * problem.duration_price // 1000
        prices[~problem.allowed] = np.iinfo(np.int64).max
        prices[others] = np.iinfo(np.int64).max
        return prices

    def _cheapest(self, places: list[int], slot: int) -> int:
        return int(self._prices(places, slot).argmin())

    def improve(self, places: list[int], dirty: Sequence[int]) -> None:
        """Put the best track in each given slot, and look again beside each slot that changed."""
        queue = [slot for slot in dirty if slot not in self.problem.fixed]
        rounds = 8 * len(places) + 8 * len(queue)
        while queue and rounds:
            rounds -= 1
            slot = queue.pop(0)
            if places[slot] in self.must:
                continue
            prices = self._prices(places, slot)
            best = int(prices.argmin())
            if prices[best] < prices[places[slot]] or prices[places[slot]] == np.iinfo(np.int64).max:
                places[slot] = best
                for near in (slot - 1, slot + 1):
                    if 0 <= near < len(places) and near not in self.problem.fixed and near not in queue:
                        queue.append(near)

    def reorder(self, places: list[int]) -> None:
        """Exchange and turn round stretches among the chosen tracks while that is cheaper."""
        free = [slot for slot in range(len(places)) if slot not in self.problem.fixed]
        if len(free) < 2:
            return
        price = self.cost(places)
        for _ in range(_REORDER_TRIES_PER_SLOT * len(free) // 2):
            a, b = sorted(self.rng.sample(free, 2))
            if self.rng.random() < 0.5 and not any(a < slot < b for slot in self.problem.fixed):
                trial = places[:a] + places[a : b + 1][::-1] + places[b + 1 :]
            else:
                trial = places[:]
                trial[a], trial[b] = trial[b], trial[a]
            if self._window(trial, a, b) >= self._window(places, a, b):
                continue
            if (new := self.cost(trial)) < price:
                places[:] = trial
                price = new

    def _window(self, places: list[int], a: int, b: int) -> int:
        """Transitions and places between two slots: what an exchange can change, caps apart."""
        row = self.problem.costs.row
        lower, upper = max(0, a - 1), min(len(places) - 1, b + 1)
        total = sum(int(row(places[slot])[places[slot + 1]]) for slot in range(lower, upper))
        return total + sum(int(self.problem.place_costs[slot, places[slot]]) for slot in range(a, b + 1))

    def mutate(self, individual: list[int], free: list[int], slack: int) -> None:
        """A burst of kicks, each repaired; one that comes out dearer by no more than ``slack`` is kept."""
        price = self.cost(individual)
        for _ in range(KICKS_A_BURST):
            trial = list(individual)
            start = self.rng.choice(free)
            hit = [
                slot for slot in range(start, min(start + 3, len(trial))) if slot not in self.problem.fixed
            ]
            kick = self.rng.random()
            other = self.rng.choice(free)
            if kick < 0.2:
                trial[start], trial[other] = trial[other], trial[start]
                hit = [start, other]
            elif kick < 0.6 and not any(
                min(start, other) < slot < max(start, other) for slot in self.problem.fixed
            ):
                # One track leaves, the gap closes, and another slot opens elsewhere.
                trial.insert(other, trial.pop(start))
                hit = [other, start]
                if trial[other] not in self.must:
                    trial[other] = self._good(trial, other)
            else:
                for slot in hit:
                    if trial[slot] not in self.must:
                        trial[slot] = self._good(trial, slot)
            near = sorted(
                {slot + step for slot in hit for step in (-1, 0, 1) if 0 <= slot + step < len(trial)}
            )
            self.improve(trial, near)
            if (new := self.cost(trial)) <= price + slack:
                individual[:] = trial
                price = new
        individual.fitness.values = (price,)  # type: ignore[attr-defined]

    def _good(self, places: list[int], slot: int) -> int:
        prices = self._prices(places, slot)
        keep = min(12, len(prices) - 1)
        if keep < 1:
            return places[slot]
        # The k-th price is the same on every machine; which of equals a partition puts first is not.
        limit = min(int(np.partition(prices, keep)[keep]), np.iinfo(np.int64).max - 1)
        options = np.flatnonzero(prices <= limit)[: 2 * keep].tolist()
        return self.rng.choice(options) if options else places[slot]

    def cross(self, mother: list[int], father: list[int]) -> list[int]:
        """The mother up to a slot and the father from there; what occurs twice is chosen anew."""
        cut = self.rng.randrange(1, len(mother))
        child = list(mother[:cut]) + list(father[cut:])
        self._place_must_haves(child)
        self._without_repeats(child)
        self.improve(child, [cut - 1, cut])
        return child
