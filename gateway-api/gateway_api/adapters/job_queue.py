"""RQ, as far as the gateway needs it: hand over the id of a job that is committed in Postgres."""

import asyncio
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.exceptions import DuplicateJobError, NoSuchJobError
from rq.intermediate_queue import IntermediateQueue
from rq.job import Job, JobStatus
from rq.registry import StartedJobRegistry

from dj_contracts.jobs import BATCH_QUEUE_NAME, QUEUE_NAME, RUN_JOB, JobPriority
from gateway_api.host_limits import HostLimits

_EPOCH_KEY = "dj:epoch"
_OVER = ("finished", "failed", "stopped", "canceled")
_JOB_TIMEOUT_SECONDS = 4 * 3600
# What stands behind the id of our job in the id of a ticket.
_JOB_ID = re.compile(r"-\d+(-batch)?(-[0-9a-f]{8})?$")


class QueueAway(Exception):
    """Redis does not answer. The job is safe in Postgres; the sweep hands it over later."""


@dataclass(frozen=True)
class Ticket:
    """An attempt that a worker may claim now."""

    job_id: str
    attempt: int
    priority: int


class JobQueue:
    """Two queues, and workers empty the first before they look at the second. ``host_limits`` say how
    many downloads may stand in them; the claim at the gateway holds the limits, this only spares workers
    from asking in vain."""

    def __init__(self, url: str, host_limits: HostLimits) -> None:
        self.host_limits = host_limits
        # A stalled Redis must not stall a request: the sweep is there for what fails here.
        self._redis = Redis.from_url(
            url, socket_timeout=5, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0)
        )
        self._urgent = Queue(QUEUE_NAME, connection=self._redis, serializer="json")
        self._batch = Queue(BATCH_QUEUE_NAME, connection=self._redis, serializer="json")

    async def hand_over(self, tickets: Sequence[Ticket]) -> None:
        """Enqueue; one that is in the same queue already stays as it is. One that stood in the other queue
        stands in both then, and the claim lets only the first through."""
        await asyncio.to_thread(self._hand_over, tickets)

    async def was_emptied(self) -> bool:
        """Whether Redis has lost its data since the last call (or was never used)."""
        return await asyncio.to_thread(self._was_emptied)

    async def list_begun(self) -> list[str]:
        """Ids of jobs that a worker has taken out of a queue. One of them that stays unclaimed was lost
        with its worker, in the moment before it could claim."""
        return await asyncio.to_thread(self._list_begun)

    async def ping(self) -> bool:
        try:
            return bool(await asyncio.to_thread(self._redis.ping))
        except RedisError:
            return False

    def close(self) -> None:
        self._redis.close()

    def _hand_over(self, tickets: Sequence[Ticket]) -> None:
        try:
            for ticket in tickets:
                rq_id = f"{ticket.job_id}-{ticket.attempt}"
                if ticket.priority < JobPriority.BATCH:
                    self._enqueue(self._urgent, ticket.job_id, rq_id)
                else:
                    self._enqueue(self._batch, ticket.job_id, f"{rq_id}-batch")
        except RedisError as exc:
            raise QueueAway(str(exc)) from exc

    def _enqueue(self, queue: Queue, job_id: str, rq_id: str) -> None:
        for _ in range(2):
            try:
                queue.enqueue(
                    RUN_JOB,
                    args=(job_id,),
                    job_id=rq_id,
                    unique=True,
                    job_timeout=_JOB_TIMEOUT_SECONDS,
                    result_ttl=60,
                    failure_ttl=3600,
                )
                return
            except DuplicateJobError:
                try:
                    known = Job.fetch(rq_id, connection=self._redis, serializer="json")
                    status = known.get_status()
                    if status == JobStatus.QUEUED and queue.get_job_position(known) is not None:
                        return
                    if status in _OVER:
                        known.delete()
                    else:
                        # A worker has taken it, and may be gone. A second ticket does no harm: one is let in.
                        rq_id = f"{rq_id}-{uuid.uuid4().hex[:8]}"
                except NoSuchJobError:
                    continue  # it expired between the two calls

    def _list_begun(self) -> list[str]:
        found: list[str] = []
        try:
            for queue in (self._urgent, self._batch):
                found += StartedJobRegistry(queue=queue).get_job_ids(cleanup=False)
                found += IntermediateQueue(queue.key, connection=self._redis).get_job_ids()
        except RedisError as exc:
            raise QueueAway(str(exc)) from exc
        return [_JOB_ID.sub("", rq_id) for rq_id in found]

    def _was_emptied(self) -> bool:
        try:
            return bool(self._redis.set(_EPOCH_KEY, "1", nx=True))
        except RedisError as exc:
            raise QueueAway(str(exc)) from exc
