"""Taking raw pushes off their lists so that none is lost and none is stuck.

A push moves to a processing list in one step, and leaves it only when the gateway has it or the
dead list has it. One bridge at a time holds the lease; who gets it puts back what the last one left.
"""

import json
import time
import uuid
from typing import cast

from redis import Redis
from redis.exceptions import ResponseError

from dj_contracts.pushes import PUSH_LISTS

_LEASE = "dj:bridge"
_LEASE_SECONDS = 15
_MOST_DEAD = 1000
_BLOCK_SECONDS = 1


class PushLists:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._name = uuid.uuid4().hex
        self._renew_at = 0.0
        self._next = 0

    def hold_lease(self) -> bool:
        """Take or keep the lease. Two bridges for a moment do no harm, since registering is idempotent."""
        if time.monotonic() < self._renew_at:
            return True
        fresh = self._redis.set(_LEASE, self._name, nx=True, ex=_LEASE_SECONDS)
        if fresh:
            self._put_back()
        elif self._redis.get(_LEASE) == self._name.encode():
            self._redis.expire(_LEASE, _LEASE_SECONDS)
        else:
            self._renew_at = 0.0
            return False
        self._renew_at = time.monotonic() + _LEASE_SECONDS / 3
        return True

    def give_lease_back(self) -> None:
        if self._redis.get(_LEASE) == self._name.encode():
            self._redis.delete(_LEASE)

    def take(self) -> tuple[str, bytes] | None:
        """The oldest push of a list, the two lists in turn, or None after a short wait."""
        wrong: ResponseError | None = None
        for _ in PUSH_LISTS:
            self._next = (self._next + 1) % len(PUSH_LISTS)
            name = PUSH_LISTS[self._next]
            try:
                raw = self._redis.lmove(name, f"{name}:processing", "RIGHT", "LEFT")
            except ResponseError as exc:
                # Somebody keeps another kind of value under this name. The other list goes on.
                wrong = exc
                continue
            if raw is not None:
                return name, cast("bytes", raw)
        if wrong:
            raise wrong
        name = PUSH_LISTS[self._next]
        raw = self._redis.blmove(name, f"{name}:processing", _BLOCK_SECONDS, "RIGHT", "LEFT")
        return None if raw is None else (name, cast("bytes", raw))

    def settle(self, name: str, raw: bytes) -> None:
        self._redis.lrem(f"{name}:processing", 1, raw)  # type: ignore[arg-type]  # bytes are fine

    def bury(self, name: str, raw: bytes, reason: str) -> None:
        """Off to the dead list, in the same step that takes it out of the processing list."""
        entry = {"raw": raw.decode("utf-8", "backslashreplace"), "error": reason, "at": time.time()}
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.lpush(f"{name}:dead", json.dumps(entry))
            pipe.ltrim(f"{name}:dead", 0, _MOST_DEAD - 1)
            pipe.lrem(f"{name}:processing", 1, raw)  # type: ignore[arg-type]  # bytes are fine
            pipe.execute()

    def _put_back(self) -> None:
        for name in PUSH_LISTS:
            while self._redis.lmove(f"{name}:processing", name, "LEFT", "RIGHT") is not None:
                pass
