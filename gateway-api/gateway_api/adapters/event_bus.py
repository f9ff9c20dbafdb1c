"""Live events over Redis pub/sub: lossy by nature, so nothing depends on one arriving."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from dj_contracts.jobs import EVENTS_CHANNEL, JobEvent
from dj_servicekit.logs import log

_QUIET_SECONDS = 10.0
_RECONNECT_SECONDS = 1.0
_MOST_UNSENT = 10_000


class EventBus:
    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(
            url, socket_timeout=5, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0)
        )
        # The oldest go first when a Redis that is away lets too many come together.
        self._unsent: deque[JobEvent] = deque(maxlen=_MOST_UNSENT)
        self._sender: asyncio.Task[None] | None = None

    async def publish(self, *events: JobEvent) -> None:
        """Soon, in this order. Whoever changed the job does not wait for it, nor for a Redis that stalls."""
        self._unsent.extend(events)
        if self._unsent and (self._sender is None or self._sender.done()):
            self._sender = asyncio.create_task(self._send())

    async def _send(self) -> None:
        while self._unsent:
            events = [self._unsent.popleft() for _ in range(len(self._unsent))]
            try:
                async with self._redis.pipeline(transaction=False) as pipeline:
                    for event in events:
                        pipeline.publish(EVENTS_CHANNEL, event.model_dump_json())
                    await pipeline.execute()
            except RedisError as exc:
                log.warning("events_not_published", count=len(events), reason=type(exc).__name__)

    async def listen(self) -> AsyncIterator[JobEvent | None]:
        """Events as they come; None after a quiet while, so that a caller can say it is alive."""
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(EVENTS_CHANNEL)
                    yield None
                    while True:
                        message = await channel.get_message(timeout=_QUIET_SECONDS)
                        yield JobEvent.model_validate_json(message["data"]) if message else None
            except RedisError:
                yield None
                await asyncio.sleep(_RECONNECT_SECONDS)

    async def close(self) -> None:
        if self._sender is not None:
            await self._sender
        await self._redis.aclose()
