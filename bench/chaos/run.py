"""The run: push, kill and start again until nearly all is done, then calm, then the verdict."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import psycopg
from redis import Redis
from redis.exceptions import RedisError

from bench._constellation import Parts, answers, await_true, parts
from bench.chaos.pushes import Wish, make_wishes
from bench.chaos.verdict import Verdict, judge
from dj_contracts.pushes import PUSH_LISTS
from download_worker.testing.audio_server import audio_server
from download_worker.testing.constellation import family_of
from standalone import valkey

_CALM_AFTER_SHARE = 0.9
_LONGEST_SECONDS = 3600
_HORSE = "work horse"
# Short, so that what was lost is noticed soon; the ratios are those of the defaults.
_TIMES = {
    "JOB_LEASE_SECONDS": "8",
    "HEARTBEAT_SECONDS": "1",
    "SWEEP_SECONDS": "0.5",
    "CLAIM_PATIENCE_SECONDS": "5",
    "HOST_LIMITS": "*=16",
    "ANALYSIS_WORKERS": "1",
}


def run_chaos(
    *, jobs: int, workers: int, seconds_between: float, rng: random.Random, say: Callable[[str], None]
) -> tuple[Verdict, Counter[str]]:
    with audio_server() as web:
        wishes = make_wishes(jobs, web.url, rng)
        web.files.update({wish.name: ("audio/wav", wish.content) for wish in wishes if wish.content})
        allowed = web.url.removeprefix("http://")
        with parts(ALLOW_PRIVATE_HOSTS=allowed, **_TIMES) as made:
            names = _start(made, workers)
            kills = _push_and_kill(made, wishes, names, seconds_between, rng, say)
            say(f"{sum(kills.values())} kills; now calm")
            await_true(lambda: _share_over(made, jobs) >= 1, "all jobs end", seconds=_LONGEST_SECONDS)
            return judge(made, wishes), kills


def _start(made: Parts, workers: int) -> list[str]:
    names = ["gateway", "essentia", "bridge", *(f"worker-{number}" for number in range(workers))]
    for name in names:
        if name.startswith("worker"):
            made.commands[name] = made.commands["worker"]
        made.start(name)
    for url in (made.gateway_url, made.essentia_url):
        await_true(lambda url=url: answers(url), f"{url} answers", seconds=90)  # type: ignore[misc]
    return [*names, "valkey", _HORSE, _HORSE]


def _push_and_kill(
    made: Parts,
    wishes: list[Wish],
    targets: list[str],
    seconds_between: float,
    rng: random.Random,
    say: Callable[[str], None],
) -> Counter[str]:
    kills: Counter[str] = Counter()
    # Each twice, and not side by side: producers repeat themselves.
    to_push = [wish.raw for wish in wishes] + [wish.raw for wish in wishes]
    a_turn = max(1, len(to_push) // 20)
    deadline = time.monotonic() + _LONGEST_SECONDS
    while to_push or _share_over(made, len(wishes)) < _CALM_AFTER_SHARE:
        if time.monotonic() > deadline:
            raise SystemExit("The jobs did not come through.")
        to_push = _push(made, to_push, a_turn)
        time.sleep(rng.expovariate(1 / seconds_between))
        name = rng.choice(targets)
        if _kill(made, name, rng):
            kills[name.partition("-")[0]] += 1
            if sum(kills.values()) % 20 == 0:
                say(f"{sum(kills.values())} kills, {_share_over(made, len(wishes)):.0%} of the jobs over")
    return kills


def _push(made: Parts, to_push: list[str], count: int) -> list[str]:
    """What could not be pushed is pushed the next time; a push that got through all the same does no harm."""
    redis = Redis.from_url(made.redis_url, socket_timeout=1, socket_connect_timeout=1)
    try:
        for raw in to_push[:count]:
            redis.lpush(PUSH_LISTS[len(raw) % 2], raw)
    except RedisError:
        return to_push
    finally:
        redis.close()
    return to_push[count:]


def _kill(made: Parts, name: str, rng: random.Random) -> bool:
    """Only the one process, as the kernel does when memory is short; then started again by its supervisor."""
    if name == _HORSE:
        workers = [child for key, child in made.running.items() if key.startswith("worker")]
        family = family_of(rng.choice(workers).pid)
        if not family:
            return False
        with suppress(ProcessLookupError):
            os.kill(family[0], signal.SIGKILL)
        return True
    child = made.running[name]
    if not _is_up(made, name):
        return False
    child.kill()
    child.wait()
    time.sleep(rng.uniform(0, 1))
    if name == "essentia":
        # As the supervisor does: what the service had started goes with it.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    made.start(name)
    return True


def _is_up(made: Parts, name: str) -> bool:
    """To kill what is still starting would only keep it from ever working."""
    if name in ("gateway", "essentia"):
        return answers(made.gateway_url if name == "gateway" else made.essentia_url)
    if name == "valkey":
        return valkey.answers(made.redis_url)
    started = {"bridge": '"bridge_started"'}.get(name, '"worker_started"')
    said = made.log(name).read_text(errors="replace")
    return said.count(started) >= made.starts[name]


def _share_over(made: Parts, jobs: int) -> float:
    """Of the downloads; and nothing open."""
    with psycopg.connect(made.database_url) as conn:
        row = conn.execute(
            """
            select count(*) filter (where kind = 'download' and state not in ('waiting', 'active')),
                   count(*) filter (where state in ('waiting', 'active'))
            from jobs
            """
        ).fetchone()
    over, still_open = (int(row[0]), int(row[1])) if row else (0, 0)
    share = over / jobs
    return share if share < 1 or not still_open else 0.99
