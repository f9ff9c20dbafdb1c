"""A Redis that is away and a ticket that nobody can read: neither parts a worker from its work horse."""

import os
import time
from pathlib import Path

from pydantic import SecretStr
from redis import Redis
from rq import Queue

from dj_contracts.jobs import QUEUE_NAME, RUN_JOB, JobState
from download_worker.redis_client import connect
from download_worker.self_report import SelfReport
from download_worker.settings import Settings
from download_worker.testing.constellation import Constellation, until
from download_worker.testing.fake_essentia import FakeEssentia
from download_worker.testing.fake_gateway import FakeGateway
from download_worker.worker import JobWorker

NOBODY = "http://127.0.0.1:9"


def test_a_worker_stays_with_its_work_horse_while_redis_is_away(redis_url: str, tmp_path: Path) -> None:
    settings = Settings(
        redis_url=SecretStr(redis_url),
        gateway_url=NOBODY,
        essentia_url=NOBODY,
        service_token=SecretStr("0123456789abcdef"),
        audio_dir=tmp_path,
    )
    with connect(settings) as connection:
        worker = JobWorker(settings, connection, SelfReport(settings))
        job = worker.queues[0].enqueue(RUN_JOB, "j1")
        worker.prepare_execution(job)
    job.timeout = -1
    gone = connect(settings.model_copy(update={"redis_url": SecretStr("redis://127.0.0.1:9")}))
    worker.connection = job.connection = gone
    worker.job_monitoring_interval = 1
    horse = os.fork()
    if horse == 0:
        time.sleep(1.5)
        os._exit(0)
    worker._horse_pid = horse
    worker.monitor_work_horse(job, worker.queues[0])
    assert worker._horse_exit == 0
    assert worker._horse_pid == 0


def test_tickets_that_cannot_be_read_fail_and_the_worker_goes_on(
    constellation: Constellation, gateway: FakeGateway, essentia: FakeEssentia
) -> None:
    after = gateway.add("j1", {"kind": "analyze", "audio_path": "a.mp3"})
    with Redis.from_url(constellation.redis_url) as redis:
        queue = Queue(QUEUE_NAME, connection=redis, serializer="json")
        broken = [
            queue.enqueue(RUN_JOB, job_id="no-id"),
            queue.enqueue(RUN_JOB, args=("j9",), job_id="no-json"),
        ]
        redis.hset(broken[1].key, "data", b"{")
        worker = constellation.start_worker()
        constellation.enqueue("j1")
        until(lambda: after.state == JobState.COMPLETED, what=constellation.log())
        until(lambda: not queue.started_job_registry.get_job_ids())
        assert sorted(queue.failed_job_registry.get_job_ids()) == ["no-id", "no-json"]
    assert constellation.log().count('"ticket_unreadable"') == 2
    assert constellation.log().count('"worker_started"') == 1
    assert worker.poll() is None
