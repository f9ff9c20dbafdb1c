"""Set building: objective, shares, time and memory, beside exact, strong and textbook solvers.

    ./dj bench ordering [--songs FILE.csv] [--solver-seconds 30] [--repeats 3] [--quick]

One process, one core. Costs are the model's own; gaps are in per cent of the better of exact or strong.
OR-Tools lives in a dependency group of its own: uv sync --all-packages --group bench.
"""

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from bench._load import save
from bench.ordering.crates import Track, made_up, sample, songs
from bench.ordering.solvers import held_karp, or_tools, plain_deap
from dj_contracts.set_building import BuildRequest, NextRequest
from dj_contracts.sets import OrderRequest, OrderResult
from ga_service.build import build
from ga_service.costs import Costs
from ga_service.nextup import next_up
from ga_service.order import order
from ga_service.pool import ComputePool
from ga_service.search import evolve, greedy
from ga_service.tracks import read_tracks
from ga_service.work import Task

_MEMORY = "--peak-memory-of"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--songs", type=Path, help="real songs; seeded ones otherwise")
    parser.add_argument("--solver-seconds", type=float, default=30)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="small sizes, 3 s for the solver")
    parser.add_argument(_MEMORY, type=int, dest="memory", help=argparse.SUPPRESS)
    given = parser.parse_args()
    crate = songs(given.songs) if given.songs else made_up()
    if given.memory:
        order(OrderRequest(tracks=sample(crate, given.memory, 1)))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
        return
    if given.quick:
        given.solver_seconds, given.repeats = min(given.solver_seconds, 3.0), 1
    results: dict[str, Any] = {"songs": bool(given.songs), "solver_seconds": given.solver_seconds}
    sizes = (10, 13, 50, 100) if given.quick else (10, 13, 50, 100, 200, 500)
    results["objective"] = [objective(crate, n, given.solver_seconds, given.repeats) for n in sizes]
    results["shares"] = shares(crate)
    results["memory_mb"] = {n: memory(n, given.songs) for n in ((100,) if given.quick else (500,))}
    results["pools"] = pools(crate)
    results["next"] = suggestions(crate)
    results["concurrent"] = asyncio.run(concurrent(crate))
    save("ordering", results)


def timed(work: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    seconds, answer = [], None
    for _ in range(repeats):
        began = time.perf_counter()
        answer = work()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds), answer


def objective(crate: list[Track], n: int, solver_seconds: float, repeats: int) -> dict[str, Any]:
    if n == 10:
        print("\nobjective (cost in thousands; gap in % of the reference)")
        print(
            f"{'n':>4} {'input':>8} {'greedy':>8} {'plain DEAP':>10} {'ours':>8} {'reference':>9}"
            f" {'gap':>6} {'greedy gap':>10} {'DEAP gap':>8} {'seconds':>8}"
        )
    tracks = sample(crate, n, seed=n)
    seconds, answer = timed(lambda: order(OrderRequest(tracks=tracks, seed=1)), repeats)
    costs = Costs(read_tracks(tracks))
    matrix = costs.matrix
    given, nearest = costs.along(list(range(n))), costs.along(greedy(matrix))
    ours = evolve(matrix, [greedy(matrix), list(range(n))], seed=1).cost
    textbook = plain_deap(matrix, max(seconds, 0.05))
    reference = held_karp(matrix) if n <= 13 else or_tools(matrix, solver_seconds)
    gap, greedy_gap, deap_gap = (100 * (cost / reference - 1) for cost in (ours, nearest, textbook))
    print(
        f"{n:>4} {given // 1000:>8} {nearest // 1000:>8} {textbook // 1000:>10} {ours // 1000:>8}"
        f" {reference // 1000:>9} {gap:>6.2f} {greedy_gap:>10.1f} {deap_gap:>8.1f} {seconds:>8.3f}",
        flush=True,
    )
    return {
        "n": n,
        "input": given,
        "greedy": nearest,
        "plain_deap": textbook,
        "ours": ours,
        "reference": reference,
        "exact": n <= 13,
        "gap_percent": gap,
        "seconds": seconds,
        "score": answer.score,
        "never_worse": ours <= min(given, nearest),
    }


def agreed(answer: OrderResult) -> tuple[float, float, float]:
    """The shares of harmonic neighbours, of tempi within 6 % with half and double, and as they are."""
    steps = answer.transitions
    tempi = [(step.tempo_from, step.tempo_to) for step in steps if step.tempo_from and step.tempo_to]
    near = [max(a, b) / min(a, b) <= 1.06 for a, b in tempi]
    folded = [abs(step.tempo_change_percent or 0) <= 6 for step in steps]
    return (
        statistics.mean(bool(step.harmonic) for step in steps),
        statistics.mean(folded),
        statistics.mean(near),
    )


def shares(crate: list[Track]) -> list[dict[str, Any]]:
    print(
        f"\n{'shares over 5 sets':<28} {'harmonic':>8} {'least':>6} {'tempo 6 %':>9} {'least':>6}"
        f" {'unfolded':>8}"
    )
    rows = []
    for name, n, band in (("200 of 118-132 BPM", 200, (118.0, 132.0)), ("100 of everything", 100, None)):
        for mode in ("genetic", "greedy"):
            found = [
                agreed(
                    order(OrderRequest.model_validate({"tracks": sample(crate, n, s, band), "mode": mode}))
                )
                for s in range(5)
            ]
            key, tempo, near = (list(column) for column in zip(*found, strict=True))
            print(
                f"{name + ', ' + mode:<28} {statistics.mean(key):>8.3f} {min(key):>6.3f}"
                f" {statistics.mean(tempo):>9.3f} {min(tempo):>6.3f} {statistics.mean(near):>8.3f}",
                flush=True,
            )
            rows.append({"set": name, "mode": mode, "harmonic": key, "tempo": tempo, "unfolded": near})
    return rows


def memory(n: int, path: Path | None) -> int:
    command = [sys.executable, str(Path(__file__).parent), _MEMORY, str(n)]
    answer = subprocess.run(
        command + (["--songs", str(path)] if path else []), check=True, capture_output=True, text=True
    )
    print(f"\npeak memory of a process that orders n = {n}: {int(answer.stdout)} MB")
    return int(answer.stdout)


def pools(crate: list[Track]) -> list[dict[str, Any]]:
    print(
        f"\n{'pool to set':<34} {'seconds':>8} {'score':>7} {'greedy':>7}"
        f" {'off curve':>9} {'harmonic':>8} unmet"
    )
    rows = []
    for name, many, locks in (
        ("1,000 to 60, journey", 1_000, 0),
        ("5,000 to 60, journey, 4 locks", 5_000, 4),
    ):
        tracks = sample(crate, many, 7)
        fixed = [{"position": 5 + 15 * i, "track_id": tracks[i]["track_id"]} for i in range(locks)]
        request = BuildRequest.model_validate(
            {"pool": tracks, "count": 60, "energy_curve": "journey", "slots": fixed, "seed": 1}
        )
        seconds, answer = timed(partial(build, request), 1 if many > 1000 else 3)
        print(
            f"{name:<34} {seconds:>8.2f} {answer.score:>7.4f} {answer.greedy_score:>7.4f}"
            f" {answer.energy_deviation:>9.3f} {answer.harmonic_share:>8.3f} {len(answer.unmet):>5}",
            flush=True,
        )
        rows.append(
            {"pool": name, "seconds": seconds}
            | answer.model_dump(
                include={"score", "greedy_score", "energy_deviation", "harmonic_share", "parts"}
            )
        )
    return rows


def suggestions(crate: list[Track]) -> dict[str, float]:
    tracks = sample(crate, 5_000, 3)
    request = NextRequest(current=tracks[0], recent=tracks[1:4], candidates=tracks)
    seconds, _ = timed(lambda: next_up(request), 15)
    print(f"\nnext of 5,000 candidates: {1000 * seconds:.1f} ms")
    return {"ms": 1000 * seconds}


async def concurrent(crate: list[Track]) -> dict[str, Any]:
    """Eight requests at once through the pool of two processes, beside one alone."""
    pool = ComputePool(size=2, waiting=16, timeout_seconds=120)
    await pool.start()
    tracks = sample(crate, 100, 5)

    async def one(seed: int) -> float:
        began = time.perf_counter()
        await pool.run(Task(OrderRequest, json.dumps({"tracks": tracks, "seed": seed}).encode()))
        return time.perf_counter() - began

    lone = statistics.median([await one(seed) for seed in range(5)])
    together = sorted(await asyncio.gather(*(one(seed) for seed in range(8))))
    await pool.close()
    print(
        f"8 requests of n = 100 on 2 processes: alone {lone:.2f} s, together"
        f" {', '.join(f'{seconds / lone:.1f}x' for seconds in together)}"
    )
    return {"alone": lone, "together": together}


if __name__ == "__main__":
    main()
