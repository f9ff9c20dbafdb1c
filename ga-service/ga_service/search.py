"""The memetic genetic algorithm: DEAP's toolbox over orders that local search has already polished.

The first generation is greedy (plus the caller's own order), so no answer is worse than either. A generation
mutates each order by a burst of kicks, each repaired by local search and kept when it is no worse;
now and then two orders are crossed (DEAP's order crossover) and the child, polished, takes the place of
the worst. The effort depends on the number of tracks alone, so the same request and seed give the
same answer on any machine, unless the caller's time budget cuts the search short, which the answer says.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from deap import base, creator, tools

from ga_service.costs import Ints
from ga_service.tour import Landscape, Tour

_POPULATION = 4
_KICKS_PER_TRACK = 16
_FEWEST_KICKS = 300
_KICKS_A_BURST = 50
_LONGEST_KICK = 50
_CROSS_EVERY = 6
_GREEDY_STARTS = 512

# DEAP keeps the classes it makes in a module of its own, so they are made once, here.
creator.create("OrderFitness", base.Fitness, weights=(-1.0,))
creator.create("Order", list, fitness=creator.OrderFitness)

Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Found:
    order: list[int]
    cost: int
    generations: int
    stopped_by: str  # "done" or "time_budget"


def greedy(matrix: Ints) -> list[int]:
    """Always on to the cheapest next track, from every start at once; the best of these orders.

    Past 512 tracks the starts are an even sample, which bounds the memory.
    """
    n = len(matrix)
    if n < 2:
        return list(range(n))
    starts = np.arange(n) if n <= _GREEDY_STARTS else np.linspace(0, n - 1, _GREEDY_STARTS).astype(np.intp)
    every = np.arange(len(starts))
    used = np.zeros((len(starts), n), dtype=np.bool_)
    orders = np.empty((len(starts), n), dtype=np.intp)
    orders[:, 0] = starts
    used[every, starts] = True
    totals = np.zeros(len(starts), dtype=np.int64)
    far = np.int32(np.iinfo(np.int32).max)
    for step in range(1, n):
        costs = np.where(used, far, matrix[orders[:, step - 1]])
        chosen = costs.argmin(axis=1)
        totals += costs[every, chosen]
        used[every, chosen] = True
        orders[:, step] = chosen
    return [int(track) for track in orders[totals.argmin()]]


def evolve(
    matrix: Ints,
    starts: list[list[int]],
    *,
    seed: int,
    deadline: float | None = None,
    report: Report | None = None,
) -> Found:
    """The best order found for an open path over the matrix; never worse than any of the starts."""
    n = len(matrix)
    land = Landscape(matrix)
    if n < 3:
        best = min(starts + [order[::-1] for order in starts], key=land.total)
        return Found(best, land.total(best), 0, "done")
    rng = random.Random(seed)  # noqa: S311 - not a secret
    random.seed(seed)  # DEAP's operators draw from the global generator; this process serves one request
    tour = Tour(land, starts[0])
    box = _toolbox(tour, rng)
    # The greedy order is polished and then kicked apart into the rest of the first generation.
    population = []
    for place in range(_POPULATION):
        individual = creator.Order(starts[place % len(starts)])
        box.polish(individual)
        population.append(individual)
    hall = tools.HallOfFame(1)
    hall.update(population)
    kicks = max(_FEWEST_KICKS, _KICKS_PER_TRACK * n)
    generations = max(1, kicks // (_KICKS_A_BURST * _POPULATION))
    stopped_by = "done"
    generation = 0
    while generation < generations:
        generation += 1
        for individual in population:
            box.mutate(individual, _KICKS_A_BURST)
        if generation % _CROSS_EVERY == 0:
            mother, father = box.select(population, 2)
            child, _ = box.mate(box.clone(mother), box.clone(father))
            box.polish(child)
            worst = max(range(_POPULATION), key=lambda place: population[place].fitness.values)
            population[worst] = child
        hall.update(population)
        if report is not None:
            report(generation, int(hall[0].fitness.values[0]))
        if deadline is not None and time.monotonic() >= deadline:
            stopped_by = "time_budget"
            break
    best = min([list(hall[0]), *starts], key=land.total)
    return Found(best, land.total(best), generation, stopped_by)


def _toolbox(tour: Tour, rng: random.Random) -> Any:
    reach = max(2, min(_LONGEST_KICK, tour.land.n))

    def polish(individual: Any) -> None:
        tour.load(list(individual))
        tour.polish(list(individual))
        individual[:] = tour.order
        individual.fitness.values = (tour.total,)

    def mutate(individual: Any, kicks: int) -> None:
        tour.load(list(individual))
        best, kept = tour.total, tour.snapshot()
        for _ in range(kicks):
            tour.polish(tour.kick(rng, reach))
            if tour.total <= best:
                best, kept = tour.total, tour.snapshot()
            else:
                tour.restore(kept)
        individual[:] = tour.order
        individual.fitness.values = (tour.total,)

    def clone(individual: Any) -> Any:
        copy = creator.Order(individual)
        copy.fitness.values = individual.fitness.values
        return copy

    box = base.Toolbox()
    box.register("clone", clone)
    box.register("polish", polish)
    box.register("mutate", mutate)
    box.register("mate", tools.cxOrdered)
    box.register("select", tools.selTournament, tournsize=2)
    return box
