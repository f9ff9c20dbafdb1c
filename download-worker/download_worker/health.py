"""``python -m download_worker.health``: a container's health check, since a worker has no port.

A worker is well when one of this machine is signed in at the queue: RQ lets the entry of a worker that
gives no sign of life run out. With the word ``bridge``: when a bridge holds the lease.
"""

import socket
import sys

from redis import Redis
from redis.exceptions import RedisError

from dj_contracts.pushes import BRIDGE_LEASE
from dj_servicekit.settings import load_settings
from download_worker.redis_client import connect
from download_worker.settings import Settings

_WORKERS = "rq:workers"


def works_here(redis: Redis, host: str) -> bool:
    names = redis.smembers(_WORKERS)
    return any(redis.hget(name, "hostname") == host.encode() for name in names)


def is_well(redis: Redis, part: str) -> bool:
    if part == "bridge":
        return bool(redis.exists(BRIDGE_LEASE))
    return works_here(redis, socket.gethostname())


def main(arguments: list[str]) -> int:
    redis = connect(load_settings(Settings), socket_timeout=4)
    try:
        return 0 if is_well(redis, arguments[0] if arguments else "worker") else 1
    except RedisError as exc:
        print(f"Redis does not answer: {exc}", file=sys.stderr)
        return 1
    finally:
        redis.close()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
