"""Live events over Redis pub/sub: lossy by nature, so nothing depends on one arriving."""

import asyncio
from collections.abc import AsyncIterator

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from dj_contracts.jobs import EVENTS_CHANNEL, JobEvent
from dj_servicekit.logs import log

_QUIET_SECONDS = 10.0
_RECONNECT_SECONDS = 1.0


class EventBus:
    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(
            url, socket_timeout=5, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0)
        )

    async def publish(self, *events: JobEvent) -> None:
        try:
            for event in events:
                await self._redis.publish(EVENTS_CHANNEL, event.model_dump_json())
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
        await self._redis.aclose()
