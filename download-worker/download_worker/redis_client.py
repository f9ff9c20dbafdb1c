"""The connection to Redis, with redis-py's defaults that would hurt us undone."""

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from download_worker.settings import Settings


def connect(settings: Settings, *, socket_timeout: float | None = None) -> Redis:
    """No retries inside redis-py: a blocking move that is tried again can move an item nobody handles."""
    timeout = {} if socket_timeout is None else {"socket_timeout": socket_timeout}
    return Redis.from_url(
        settings.redis_url.get_secret_value(),
        socket_connect_timeout=5,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
        **timeout,
    )
