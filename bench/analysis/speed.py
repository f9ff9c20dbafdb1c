"""How fast the pool's processes measure a file, in how much memory, and what a second one adds."""

import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bench.analysis.files import write
from bench.analysis.pieces import whole_set
from bench.analysis.sounds import RATE
from dj_contracts.analysis import Part
from essentia_api.measure.engine import EVERYTHING, analyze_file
from essentia_api.pool import AnalysisPool

_WANTED = {"everything": EVERYTHING, "tempo and key": frozenset({Part.TEMPO, Part.KEY})}
_SECONDS = 600.0
_ROUNDS = 5


def speed() -> dict[str, Any]:
    """Of a stereo mp3 of ten minutes, in processes that have measured others before."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.mp3"
        write(path, _stereo(_SECONDS))
        found = {name: _one_process(path, want) for name, want in _WANTED.items()}
        found["two processes"] = _two_processes(path)
    for name in _WANTED:
        one = found[name]
        print(
            f"ten minutes of mp3, {name}: {one['audio_s_per_cpu_s']} s per CPU s "
            f"(each run: {one['runs']}), {one['peak_mb']} MB at most in a process used {1 + _ROUNDS} times"
        )
    two = found["two processes"]
    print(f"throughput of two cores over one: {two['ratio']} (each round: {two['rounds']})")
    print(f"that of two plain loops, which is all this machine has: {two['plain']}", flush=True)
    return found


def _stereo(seconds: float) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Two different channels: an mp3 of two that are alike decodes faster than music does."""
    left = next(whole_set(64.0)).samples
    both = np.stack([left, 0.7 * left + 0.3 * np.roll(left, 400)], axis=1)
    return np.tile(both, (int(seconds * RATE / len(left)) + 1, 1))[: int(seconds * RATE)].astype(np.float32)


def _one_process(path: Path, want: frozenset[Part]) -> dict[str, Any]:
    with _pool(1) as ask:
        rows = [ask(measured, str(path), want) for _ in range(1 + _ROUNDS)]
    # The first run loads models, as the first track of a process does.
    runs = [round(_SECONDS / spent) for spent, _ in rows[1:]]
    return {"audio_s_per_cpu_s": statistics.median(runs), "runs": runs, "peak_mb": rows[-1][1]}


def _two_processes(path: Path) -> dict[str, Any]:
    """Wall time of files one after another on one core, where ffmpeg has its share of that core too, before
    and after two at a time on two, for clocks wander; the median of rounds. Beside it that of a plain loop:
    two virtual processors seldom give twice what one gives."""
    with _pool(1) as one, _pool(2) as two, ThreadPoolExecutor(2) as threads:
        one(stay_on_one_core)

        def ratio(work: Callable[..., Any], *arguments: Any) -> float:
            def seconds(ask: Callable[..., Any], each: Callable[..., Any], count: int) -> float:
                began = time.perf_counter()
                list(each(lambda _: ask(work, *arguments), range(count)))
                return time.perf_counter() - began

            before, at_once, after = seconds(one, map, 1), seconds(two, threads.map, 4), seconds(one, map, 1)
            return round(2 * (before + after) / at_once, 2)

        ratio(measured, str(path), EVERYTHING)
        rounds = [(ratio(measured, str(path), EVERYTHING), ratio(plain_loop)) for _ in range(_ROUNDS)]
    ours, plain = zip(*rounds, strict=True)
    return {"ratio": statistics.median(ours), "rounds": ours, "plain": statistics.median(plain)}


@contextmanager
def _pool(size: int) -> Iterator[Callable[..., Any]]:
    pool = AnalysisPool(size=size, waiting=4, timeout_seconds=600, memory_mb=4000)
    try:
        yield pool.run
    finally:
        pool.close()


def measured(path: str, want: frozenset[Part]) -> tuple[float, int]:
    """In the process: CPU seconds with its ffmpeg's, and the most memory that it ever had."""
    before = sum(os.times()[:4])
    analyze_file(path, 3600.0, want)
    return sum(os.times()[:4]) - before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def stay_on_one_core() -> None:
    """On Linux; elsewhere ffmpeg may take its share of another."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def plain_loop() -> int:
    return sum(number & 3 for number in range(60_000_000))
