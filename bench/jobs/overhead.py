"""One block of jobs through our worker, and one through RQ's own."""

import sys
import time
import uuid
from dataclasses import dataclass

import psycopg
from psycopg.types.json import Jsonb
from redis import Redis
from rq import Queue
from rq.job import Job

from bench._constellation import Parts, await_true
from standalone import processes

_SLACK_SECONDS = 120


@dataclass(frozen=True)
class Block:
    jobs: int
    seconds_a_job: float
    wall_seconds: float

    @property
    def overhead_ms(self) -> float:
        return (self.wall_seconds / self.jobs - self.seconds_a_job) * 1000

    @property
    def jobs_a_second(self) -> float:
        return self.jobs / self.wall_seconds


def run_our_block(made: Parts, number: int, jobs: int, seconds: float) -> Block:
    """All jobs wait before the worker starts; the clock runs from the first claim to the last report."""
    with psycopg.connect(made.database_url, autocommit=True) as conn:
        for index in range(jobs):
            track = f"b{number}-{index}"
            conn.execute(
                "insert into tracks (username, track_id, title) values ('dj', %s, %s)", [track, track]
            )
            conn.execute(
                """
                insert into jobs (id, username, track_id, kind, payload) values (%s, 'dj', %s, 'analyze', %s)
                """,
                [uuid.uuid4().hex, track, Jsonb({"kind": "analyze", "audio_path": f"{track}.mp3"})],
            )
        mine = f"track_id like 'b{number}-%'"
        await_true(
            lambda: _count(conn, f"{mine} and enqueued_at is not null") == jobs,
            "the gateway hands the jobs over",
            seconds=60,
        )
        made.start("worker")
        await_true(
            lambda: _count(conn, f"{mine} and state = 'completed'") == jobs,
            "the jobs are done",
            seconds=jobs * (seconds + 1) + _SLACK_SECONDS,
        )
        made.stop("worker")
        row = conn.execute(
            f"select extract(epoch from max(finished_at) - min(started_at))::float8 from jobs where {mine}"
        ).fetchone()
    return Block(jobs, seconds, float(row[0]) if row else 0.0)


def _count(conn: "psycopg.Connection[tuple[object, ...]]", condition: str) -> int:
    # Asked seldom, so that the asking is no load.
    time.sleep(0.2)
    row = conn.execute(f"select count(*) from jobs where {condition}").fetchone()
    return int(str(row[0])) if row else 0


def run_bare_block(made: Parts, jobs: int, seconds: float) -> Block:
    redis = Redis.from_url(made.redis_url)
    queue = Queue("bare", connection=redis, serializer="json")
    queued = [queue.enqueue("time.sleep", args=(seconds,), result_ttl=86400) for _ in range(jobs)]
    made.commands["bare"] = processes.Command(
        (sys.executable, "-m", "rq.cli", "worker", "bare", "--burst", "--serializer", "json", "--quiet"),
        cwd=made.home,
        env={"RQ_REDIS_URL": made.redis_url},
    )
    worker = made.start("bare")
    worker.wait(timeout=jobs * (seconds + 1) + _SLACK_SECONDS)
    made.stop("bare")
    done = Job.fetch_many([job.id for job in queued], connection=redis, serializer="json")
    began = [job.started_at for job in done if job and job.started_at]
    ended = [job.ended_at for job in done if job and job.ended_at]
    redis.close()
    return Block(jobs, seconds, (max(ended) - min(began)).total_seconds())
