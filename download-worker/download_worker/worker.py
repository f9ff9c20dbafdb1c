"""The RQ worker: forks a work horse a job, and outlives a Redis that goes and comes back."""

import importlib
import os
import signal
import time
from types import FrameType
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue, Worker
from rq.job import Job

from dj_contracts.jobs import QUEUE_NAME, RUN_JOB
from dj_servicekit.logs import log
from download_worker.places import sweep
from download_worker.settings import Settings

_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 5.0


class JobWorker(Worker):
    """RQ's forking worker with our limits instead of its own."""

    max_connection_wait_time = 5.0

    def __init__(self, settings: Settings, connection: Redis) -> None:
        queue = Queue(QUEUE_NAME, connection=connection, serializer="json")
        super().__init__(
            [queue],
            connection=connection,
            serializer="json",
            worker_ttl=60,
            job_monitoring_interval=15,
            maintenance_interval=60,
        )
        self.stopping = False
        self._audio_dir = settings.audio_dir

    def execute_job(self, job: Job, queue: Queue) -> None:
        # RQ's own limit (180 s unless told) would cut a long download off. Ours are in the job itself.
        job.timeout = -1
        super().execute_job(job, queue)

    def maintain_heartbeats(self, job: Job) -> None:
        try:
            super().maintain_heartbeats(job)
        except RedisError as exc:
            # The work horse needs no Redis, so a Redis that is away must not take the worker from it.
            log.warning("redis_away", reason=str(exc))

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.stopping = True
        try:
            super().request_stop(signum, frame)  # type: ignore[no-untyped-call]  # rq's own
        except RedisError as exc:
            log.warning("redis_away", reason=str(exc))

    def handle_warm_shutdown_request(self) -> None:
        log.info("worker_stopping", busy=bool(self.horse_pid))
        if self.horse_pid:
            os.kill(self.horse_pid, signal.SIGUSR1)

    def handle_work_horse_killed(self, job: Job, retpid: int, ret_val: int, rusage: Any) -> None:
        log.error("work_horse_killed", job_id=job.args[0] if job.args else None, wait_status=ret_val)
        sweep(self._audio_dir)


def run_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, then finish the job under way."""
    # Until a work horse listens for it, SIGUSR1 would kill it. Forked processes inherit this.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    # Loaded before the fork, so that each work horse starts with its imports done.
    importlib.import_module(RUN_JOB.rpartition(".")[0])
    sweep(settings.audio_dir)
    pause = _FIRST_WAIT_SECONDS
    worker: JobWorker | None = None
    while True:
        _listen_while_idle()
        connection = connect(settings)
        try:
            connection.ping()
            worker = JobWorker(settings, connection)
            log.info("worker_started", queue=QUEUE_NAME, name=worker.name)
            pause = _FIRST_WAIT_SECONDS
            worker.work(logging_level="WARNING")
        except RedisError as exc:
            log.warning("redis_away", reason=str(exc), retry_in_seconds=pause)
        finally:
            connection.close()
        if worker and worker.stopping:
            return
        _listen_while_idle()
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_WAIT_SECONDS)


def connect(settings: Settings) -> Redis:
    """No retries inside redis-py: a blocking move that is tried again can move an item nobody handles."""
    return Redis.from_url(
        settings.redis_url.get_secret_value(),
        socket_connect_timeout=5,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0, supported_errors=(RedisConnectionError,)),
    )


def _listen_while_idle() -> None:
    """While no RQ worker stands, its signal handlers would only wait for one."""
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)


def _leave(_signum: int, _frame: FrameType | None) -> None:
    log.info("worker_stopping", busy=False)
    raise SystemExit(0)
