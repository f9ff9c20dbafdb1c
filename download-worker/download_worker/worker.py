"""The RQ worker: forks a work horse a job, and outlives a Redis that goes and comes back."""

import gc
import os
import signal
import time
from types import FrameType
from typing import Any

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import RedisError
from rq import Queue, Retry, Worker
from rq.exceptions import DeserializationError
from rq.job import Job
from rq.worker import WorkerStatus

from dj_contracts.jobs import BATCH_QUEUE_NAME, QUEUE_NAME
from dj_servicekit.logs import log
from download_worker.http_client import warm_up
from download_worker.places import sweep
from download_worker.redis_client import connect
from download_worker.self_report import SelfReport
from download_worker.settings import Settings
from download_worker.stopping import request_stop
from download_worker.tasks import known_settings

_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 5.0
_DEATH_TAKES_SECONDS = 3.0
_POLL_SECONDS = 0.1

# How a work horse ends. RQ counts what goes back into the queue and would give up at the limit, but a gateway
# that is away for a week is no failure.
_DONE, _CRASHED, _PUT_BACK = os.EX_OK, 1, os.EX_TEMPFAIL
_BACK_IN_THE_QUEUE = Retry(max=1_000_000)


class JobWorker(Worker):
    """RQ's forking worker with our limits instead of its own."""

    max_connection_wait_time = 5.0

    def __init__(self, settings: Settings, connection: Redis, self_report: SelfReport) -> None:
        queues = [
            Queue(name, connection=connection, serializer="json") for name in (QUEUE_NAME, BATCH_QUEUE_NAME)
        ]
        super().__init__(
            queues,
            connection=connection,
            serializer="json",
            worker_ttl=60,
            job_monitoring_interval=15,
            maintenance_interval=60,
        )
        self.stopping = False
        self._horse_exit: int | None = None
        self._audio_dir = settings.audio_dir
        self._self_report = self_report

    def execute_job(self, job: Job, queue: Queue) -> None:
        """RQ's books are kept here, not in the work horse: a new connection to Redis for each would cost a
        job 7 ms and more, and the work horse does without Redis altogether."""
        # RQ's own limit (180 s unless told) would cut a long download off. Ours are in the job itself.
        job.timeout = -1
        self.prepare_execution(job)
        if not _is_readable(job):
            # Before the fork: what RQ cannot read it raises here too, and a work horse would be left alone.
            log.error("ticket_unreadable", rq_id=job.id)
            self.handle_job_failure(job, queue, exc_string="The ticket cannot be read.")
            self.set_state(WorkerStatus.IDLE)
            return
        self.fork_work_horse(job, queue)
        try:
            self.prepare_job_execution(job)
        except RedisError as exc:
            log.warning("redis_away", reason=str(exc))
        self.monitor_work_horse(job, queue)
        if self._horse_exit in (_DONE, _PUT_BACK):
            self._book(job, queue)
        self.set_state(WorkerStatus.IDLE)

    def _book(self, job: Job, queue: Queue) -> None:
        """That the job is done with, or goes back into the queue."""
        self.handle_execution_ended(job, queue, job.success_callback_timeout)
        registry = queue.started_job_registry
        if self._horse_exit == _DONE:
            self.handle_job_success(job, queue, registry)
        elif self.execution:
            self.handle_job_retry(job, queue, _BACK_IN_THE_QUEUE, registry, self.execution)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """In the work horse. Its exit status says how it ended, and is all that it tells the worker."""
        self.setup_work_horse_signals()  # type: ignore[no-untyped-call]  # rq's own
        self._is_horse = True
        try:
            done = job.func(*job.args)
        except BaseException:  # noqa: BLE001 - nothing of the worker's own loop may run here
            log.exception("work_horse_crashed", job_id=str(job.args[0]))
            os._exit(_CRASHED)
        os._exit(_DONE if done else _PUT_BACK)

    def wait_for_horse(self) -> tuple[int | None, int | None, Any]:
        pid, status, usage = super().wait_for_horse()
        self._horse_exit = None if status is None else os.waitstatus_to_exitcode(status)
        # To RQ one that asks to be put back has not failed.
        return pid, (os.EX_OK if self._horse_exit == _PUT_BACK else status), usage

    def set_current_job_working_time(
        self, current_job_working_time: float, pipeline: Pipeline | None = None
    ) -> None:
        """RQ says it beside its heartbeats while it watches a work horse, and once more at its end."""
        try:
            super().set_current_job_working_time(current_job_working_time, pipeline)
        except RedisError as exc:
            log.warning("redis_away", reason=str(exc))

    def maintain_heartbeats(self, job: Job) -> None:
        self._self_report.say_if_due()
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
        request_stop()

    def handle_work_horse_killed(self, job: Job, retpid: int, ret_val: int, rusage: Any) -> None:
        job_id = str(job.args[0])
        log.error("work_horse_killed", job_id=job_id, wait_status=ret_val)
        give_up_at = time.monotonic() + _DEATH_TAKES_SECONDS
        # What the work horse had started notices its death a moment later, and holds the folder till then.
        while sweep(self._audio_dir, job_id) and time.monotonic() < give_up_at:
            time.sleep(_POLL_SECONDS)

    def run_maintenance_tasks(self) -> None:
        super().run_maintenance_tasks()  # type: ignore[no-untyped-call]  # rq's own
        sweep(self._audio_dir)
        self._self_report.say_if_due()


def _is_readable(job: Job) -> bool:
    """Whether it names a function and the id of one of our jobs. RQ looks into it only when it is asked."""
    try:
        return bool(job.func_name and job.args[0])
    except (DeserializationError, LookupError, TypeError):
        return False


def run_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, then finish the job under way."""
    # All of it is there before the fork, so that each work horse starts with it.
    known_settings()
    warm_up()
    # What stands now stands for ever: no work horse need walk, and so copy, the memory it shares with us.
    gc.collect()
    gc.freeze()
    sweep(settings.audio_dir)
    self_report = SelfReport(settings)
    pause = _FIRST_WAIT_SECONDS
    worker: JobWorker | None = None
    while True:
        _listen_while_idle()
        connection = connect(settings)
        try:
            connection.ping()
            worker = JobWorker(settings, connection, self_report)
            log.info("worker_started", name=worker.name)
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


def _listen_while_idle() -> None:
    """While no RQ worker stands, its signal handlers would only wait for one."""
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)


def _leave(_signum: int, _frame: FrameType | None) -> None:
    log.info("worker_stopping", busy=False)
    raise SystemExit(0)
