"""What ordering is measured against: exact, strong, and textbook."""

import itertools
import random
import time

import numpy as np
from deap import algorithms, base, creator, tools
from ortools.constraint_solver import (
    pywrapcp,
    routing_enums_pb2,
)

creator.create("PlainFitness", base.Fitness, weights=(-1.0,))
creator.create("PlainOrder", list, fitness=creator.PlainFitness)


def held_karp(matrix: np.ndarray) -> int:
    """The exact cost of the best open path."""
    n = len(matrix)
    cost = matrix.tolist()
    best = [[10**15] * n for _ in range(1 << n)]
    for last in range(n):
        best[1 << last][last] = 0
    for mask in range(1, 1 << n):
        for last in range(n):
            so_far = best[mask][last]
            if so_far >= 10**15:
                continue
            row = cost[last]
            for following in range(n):
                bit = 1 << following
                if not mask & bit and so_far + row[following] < best[mask | bit][following]:
                    best[mask | bit][following] = so_far + row[following]
    return min(best[-1])


def or_tools(matrix: np.ndarray, seconds: float) -> int:
    """OR-Tools' routing solver with guided local search; a free depot makes the path open."""
    n = len(matrix)
    wide = np.zeros((n + 1, n + 1), dtype=np.int64)
    wide[:n, :n] = matrix
    cost = wide.tolist()
    manager = pywrapcp.RoutingIndexManager(n + 1, 1, n)
    routing = pywrapcp.RoutingModel(manager)
    arc = routing.RegisterTransitCallback(lambda a, b: cost[manager.IndexToNode(a)][manager.IndexToNode(b)])
    routing.SetArcCostEvaluatorOfAllVehicles(arc)
    how = pywrapcp.DefaultRoutingSearchParameters()
    how.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PATH_CHEAPEST_ARC
    how.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    how.time_limit.FromMilliseconds(int(seconds * 1000))
    return int(routing.SolveWithParameters(how).ObjectiveValue())


def plain_deap(matrix: np.ndarray, seconds: float, seed: int = 1) -> int:
    """The textbook: eaSimple a generation at a time, order crossover, shuffled indexes, random start."""
    n = len(matrix)
    cost = matrix.tolist()
    random.seed(seed)

    def evaluate(order: list[int]) -> tuple[int]:
        return (sum(cost[a][b] for a, b in itertools.pairwise(order)),)

    box = base.Toolbox()
    box.register("order", random.sample, range(n), n)
    box.register("individual", tools.initIterate, creator.PlainOrder, box.order)
    box.register("population", tools.initRepeat, list, box.individual)
    box.register("evaluate", evaluate)
    box.register("mate", tools.cxOrdered)
    box.register("mutate", tools.mutShuffleIndexes, indpb=0.05)
    box.register("select", tools.selTournament, tournsize=3)
    population, hall = box.population(100), tools.HallOfFame(1)
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        population, _ = algorithms.eaSimple(population, box, 0.7, 0.2, 1, halloffame=hall, verbose=False)
    return int(hall[0].fitness.values[0])
