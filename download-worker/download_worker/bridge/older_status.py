"""The hash ``job:<id>`` and the sorted set ``jobs:updated`` that older readers look at."""

import time
from typing import cast

from redis import Redis

from dj_contracts.jobs import JobState
from dj_contracts.pushes import PushState

_UPDATED = "jobs:updated"
# Which older ids wait for which job of ours: "<job id> <older id>" by the time it was last looked at.
_OPEN = "dj:pushes:open"
_KEPT_SECONDS = 7 * 86400
_STATUS = {
    JobState.WAITING: "queued",
    JobState.ACTIVE: "processing",
    JobState.COMPLETED: "completed",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "failed",
}


class OlderStatus:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def show(self, older_id: str, state: PushState) -> None:
        """Show it, and keep looking at the job until it is over."""
        over = state.state in (JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED)
        error = state.error or ("The job was cancelled." if state.state == JobState.CANCELLED else "")
        member = f"{state.job_id} {older_id}"
        with self._redis.pipeline() as pipe:
            self._write(pipe, older_id, _STATUS[state.state], state.progress, error)
            if over:
                pipe.zrem(_OPEN, member)
            else:
                pipe.zadd(_OPEN, {member: time.time()})
            pipe.execute()

    def show_poison(self, older_id: str, reason: str) -> None:
        with self._redis.pipeline() as pipe:
            self._write(pipe, older_id, "failed", 0, reason)
            pipe.execute()

    def list_open(self, *, not_seen_for_seconds: float, limit: int) -> list[tuple[str, str]]:
        """(job id, older id) pairs, the longest unseen first."""
        seen_before = time.time() - not_seen_for_seconds
        members = self._redis.zrange(_OPEN, "-inf", seen_before, byscore=True, offset=0, num=limit)
        pairs = (bytes(member).decode().partition(" ") for member in cast("list[bytes]", members))
        return [(job_id, older_id) for job_id, _, older_id in pairs]

    def forget(self, job_id: str, older_id: str) -> None:
        self._redis.zrem(_OPEN, f"{job_id} {older_id}")

    def _write(self, pipe: "Redis", older_id: str, status: str, progress: float, error: str) -> None:
        key = f"job:{older_id}"
        pipe.hset(key, mapping={"status": status, "progress": round(progress), "error": error})
        pipe.expire(key, _KEPT_SECONDS)
        pipe.zadd(_UPDATED, {older_id: time.time()})
        pipe.zremrangebyscore(_UPDATED, "-inf", time.time() - _KEPT_SECONDS)
