"""Downloads and analyses while all services and Valkey are killed with -9 at random: none may be lost.

    ./dj bench chaos [--jobs 200] [--workers 2] [--seconds-between 5] [--seed 1]

Everything is the real one; only the web that the files come from is a local server. Each push is pushed
twice, one in ten leads nowhere and has to fail for that reason. Workers and their work horses, the bridge,
the gateway, Valkey and essentia-api are killed; what is killed is started again within a second, and what
has not come up yet is spared. Lost, done twice, partial files and leftovers all have to be 0.
"""

import argparse
import random
import sys
import time
from dataclasses import asdict

from bench._load import save
from bench.chaos.run import run_chaos


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dj bench chaos")
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds-between", type=float, default=5.0, help="two kills, on average")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started = time.monotonic()
    verdict, kills = run_chaos(
        jobs=options.jobs,
        workers=options.workers,
        seconds_between=options.seconds_between,
        rng=random.Random(options.seed),
        say=lambda line: print(line, flush=True),
    )
    seconds = time.monotonic() - started
    killed = ", ".join(f"{name} {count}" for name, count in sorted(kills.items()))
    print(f"{options.jobs} downloads and their analyses in {seconds:.0f} s; killed: {killed}")
    for name, found in verdict.counts().items():
        print(f"  {name:<22}{found:>6}")
    for line in verdict.details[:20]:
        print(f"  ! {line}")
    save("chaos", {"jobs": options.jobs, "seconds": seconds, "kills": kills, **asdict(verdict)})
    return 0 if verdict.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
