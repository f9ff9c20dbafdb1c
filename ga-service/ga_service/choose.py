"""Chooses and orders at once: fills a set from a pool so that transitions, curve and limits agree.

A set is a list of places in the pool, one a slot. The search looks at one slot at a time and at every
candidate for it in one sweep over arrays; DEAP crosses whole sets at a common slot. First sets come from
exact dynamic programming over the slots, each slot with candidates of its own, so that nothing repeats.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from deap import base, creator, tools

from ga_service.filling import KICKS_A_BURST, Filling
from ga_service.problem import Problem

Report = Callable[[int, int], None]

_POPULATION = 4
_KICKS_PER_SLOT = 24
_MOST_KICKS = 2_400
# A sweep over a small pool is cheap, so there is time for more of them.
_MORE_KICKS, _SMALL_POOL = 1_200, 1_000
# At first a kick that costs a little is kept, which leads out of the nearest valley; later none is.
_SLACK = 30_000

creator.create("SetFitness", base.Fitness, weights=(-1.0,))
creator.create("ChosenSet", list, fitness=creator.SetFitness)


@dataclass(frozen=True)
class Chosen:
    places: list[int]
    cost: int
    generations: int
    stopped_by: str


def choose(
    problem: Problem,
    start: list[int],
    *,
    seed: int,
    deadline: float | None = None,
    report: Report | None = None,
) -> Chosen:
    """The best set found; by the whole objective never worse than the given start."""
    rng = random.Random(seed)  # noqa: S311 - not a secret
    random.seed(seed)  # for DEAP's own operators, as in search.py
    filling = Filling(problem, rng)
    population = []
    for number in range(_POPULATION):
        individual = creator.ChosenSet(filling.first_set(shared=number == 1) if number else start)
        filling.improve(individual, range(problem.slots))
        filling.reorder(individual)
        individual.fitness.values = (filling.cost(individual),)
        population.append(individual)
        if deadline is not None and time.monotonic() >= deadline:
            break
    hall = tools.HallOfFame(1)
    hall.update(population)
    kicks = min(_MOST_KICKS, _KICKS_PER_SLOT * problem.slots)
    kicks += _MORE_KICKS * _SMALL_POOL // max(len(problem.costs), _SMALL_POOL)
    generations = max(1, kicks // (KICKS_A_BURST * len(population)))
    free = [slot for slot in range(problem.slots) if slot not in problem.fixed]
    generation = 0
    while free and generation < generations and (deadline is None or time.monotonic() < deadline):
        generation += 1
        slack = int(_SLACK * max(0.0, 1.0 - 1.5 * generation / generations))
        for individual in population:
            filling.mutate(individual, free, slack)
        if generation % 4 == 0 and problem.slots > 2:
            mother, father = tools.selTournament(population, 2, tournsize=2)
            child = creator.ChosenSet(filling.cross(mother, father))
            filling.reorder(child)
            child.fitness.values = (filling.cost(child),)
            worst = max(range(len(population)), key=lambda place: population[place].fitness.values)
            population[worst] = child
        hall.update(population)
        if report is not None:
            report(generation, int(hall[0].fitness.values[0]))
    late = deadline is not None and generation < generations and bool(free)
    best = min(list(hall[0]), start, key=filling.cost)
    return Chosen(best, filling.cost(best), generation, "time_budget" if late else "done")
