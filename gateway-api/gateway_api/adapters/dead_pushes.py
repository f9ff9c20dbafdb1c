"""The dead lists: raw pushes that the bridge could make nothing of, with their reasons.

The bridge writes them; people read them here and push them again once the reason is mended.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from dj_contracts.pushes import PUSH_LISTS
from dj_servicekit.errors import UpstreamUnavailable

T = TypeVar("T")


@dataclass(frozen=True)
class DeadPush:
    list_name: str
    raw: str
    error: str
    at: float


class DeadPushes:
    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(
            url,
            socket_timeout=5,
            socket_connect_timeout=2,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )

    async def list_all(self) -> list[DeadPush]:
        """Newest first within each list."""
        return await self._in_thread(self._list_all)

    async def requeue(self) -> int:
        """Push all of them again; returns how many. Each leaves the dead list in the step that pushes it."""
        return await self._in_thread(self._requeue)

    def close(self) -> None:
        self._redis.close()

    async def _in_thread(self, call: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(call)
        except RedisError as exc:
            raise UpstreamUnavailable("Redis does not answer, so the dead pushes cannot be read.") from exc

    def _list_all(self) -> list[DeadPush]:
        return [
            DeadPush(name, **json.loads(entry))
            for name in PUSH_LISTS
            for entry in self._redis.lrange(f"{name}:dead", 0, -1)
        ]

    def _requeue(self) -> int:
        count = 0
        for name in PUSH_LISTS:
            for entry in self._redis.lrange(f"{name}:dead", 0, -1):
                with self._redis.pipeline(transaction=True) as pipe:
                    pipe.lrem(f"{name}:dead", 1, str(entry))
                    pipe.lpush(name, json.loads(entry)["raw"])
                    removed, _ = pipe.execute()
                count += removed
        return count
