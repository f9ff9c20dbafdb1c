"""Overhead of a job on one worker beside bare RQ, and how soon a client sees its progress.

    ./dj bench jobs [--jobs 500] [--seconds 1] [--blocks 5]

The jobs are analyses; a stand-in for essentia-api answers each after the given time. Gateway, PostgreSQL,
Valkey and worker are the real ones. Bare RQ runs ``time.sleep`` in its own forking worker, on the same
Valkey, in turns with ours. With the defaults it takes twenty minutes; --jobs 100 --seconds 0.2 takes one.
"""

import argparse
import os
import statistics
from dataclasses import asdict, dataclass

from bench._constellation import answers, await_true, parts, processors
from bench._load import save
from bench.jobs.overhead import Block, run_bare_block, run_our_block
from bench.jobs.progress import measure_progress
from download_worker.testing.audio_server import audio_server
from download_worker.testing.fake_essentia import fake_essentia

_WANTED_MS = 50


@dataclass(frozen=True)
class Row:
    name: str
    overhead_ms: float
    jobs_a_second: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dj bench jobs")
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--blocks", type=int, default=5)
    options = parser.parse_args()
    each = max(1, options.jobs // options.blocks)
    ours: list[Block] = []
    bare: list[Block] = []
    with fake_essentia() as essentia, audio_server() as web:
        essentia.seconds = options.seconds
        allowed = web.url.removeprefix("http://")
        with parts(ESSENTIA_URL=essentia.url, ALLOW_PRIVATE_HOSTS=allowed, HOST_LIMITS="*=8") as made:
            made.start("gateway")
            await_true(lambda: answers(made.gateway_url), "the gateway answers", seconds=60)
            for block in range(options.blocks):
                ours.append(run_our_block(made, block, each, options.seconds))
                bare.append(run_bare_block(made, each, options.seconds))
            progress = measure_progress(made, web)
    rows = [_row("dj-playlist", ours), _row("bare RQ", bare)]
    print(f"{each * options.blocks} jobs of {options.seconds} s on one worker, {processors()} processors")
    print(f"{'':<14}{'overhead a job':>16}{'jobs a second':>16}")
    for row in rows:
        print(f"{row.name:<14}{row.overhead_ms:>13.1f} ms{row.jobs_a_second:>16.2f}")
    print(f"wanted: under {_WANTED_MS} ms; median of {options.blocks} blocks")
    print(f"Progress of a download, from the source's byte to the client ({progress.events} events):")
    seen = f"median {progress.median_seconds:.2f} s, longest {progress.longest_seconds:.2f} s"
    print(f"  {seen}; wanted: under 1 s")
    save(
        "jobs",
        {
            "jobs": each * options.blocks,
            "seconds": options.seconds,
            "processors": os.cpu_count(),
            "rows": [asdict(row) for row in rows],
            "progress": asdict(progress),
        },
    )


def _row(name: str, blocks: list[Block]) -> Row:
    return Row(
        name,
        statistics.median(block.overhead_ms for block in blocks),
        statistics.median(block.jobs_a_second for block in blocks),
    )


if __name__ == "__main__":
    main()
