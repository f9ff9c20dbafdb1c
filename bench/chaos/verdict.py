"""What became of each wish, and what lies about that belongs to none."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import dict_row
from redis import Redis

from bench._constellation import Parts, await_true
from bench.chaos.pushes import Wish
from dj_contracts.pushes import PUSH_LISTS

_SETTLE_SECONDS = 90


@dataclass
class Verdict:
    completed: int = 0
    failed_for_own_reason: int = 0
    lost: int = 0
    done_twice: int = 0
    partial: int = 0
    leftovers: int = 0
    older_readers_misled: int = 0
    details: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (
            self.lost or self.done_twice or self.partial or self.leftovers or self.older_readers_misled
        )

    def counts(self) -> dict[str, int]:
        return {name.replace("_", " "): value for name, value in vars(self).items() if isinstance(value, int)}


def judge(made: Parts, wishes: list[Wish]) -> Verdict:
    verdict = Verdict()
    _await_quiet(made)
    with psycopg.connect(made.database_url, row_factory=dict_row) as conn:
        jobs = conn.execute("select id, track_id, kind, state, error_code, error from jobs").fetchall()
        tracks = conn.execute("select track_id, audio_path from tracks").fetchall()
    audio_of = {row["track_id"]: row["audio_path"] for row in tracks}
    for wish in wishes:
        mine = [job for job in jobs if job["track_id"] == wish.track_id]
        _judge_wish(wish, mine, audio_of.get(wish.track_id), made, verdict)
    _judge_completions(made, verdict)
    _judge_leftovers(made, {path for path in audio_of.values() if path}, verdict)
    _judge_older_readers(made, wishes, verdict)
    return verdict


def _judge_wish(
    wish: Wish, jobs: list[dict[str, Any]], audio_path: str | None, made: Parts, verdict: Verdict
) -> None:
    downloads = [job for job in jobs if job["kind"] == "download"]
    analyses = [job for job in jobs if job["kind"] == "analyze"]
    if len(downloads) > 1 or len(analyses) > 1:
        verdict.done_twice += 1
        verdict.details.append(f"{wish.track_id}: {len(downloads)} downloads, {len(analyses)} analyses")
    if wish.code:
        if [(job["state"], job["error_code"]) for job in downloads] == [("failed", wish.code)]:
            verdict.failed_for_own_reason += 1
            return
    elif [job["state"] for job in [*downloads, *analyses]] == ["completed", "completed"] and audio_path:
        verdict.completed += 1
        path = made.audio_dir / audio_path
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != wish.digest:
            verdict.partial += 1
            verdict.details.append(f"{wish.track_id}: {audio_path} is not what was sent")
        return
    verdict.lost += 1
    verdict.details.append(
        f"{wish.track_id}: " + "; ".join(f"{job['kind']} {job['state']} {job['error']}" for job in jobs)
    )


def _judge_completions(made: Parts, verdict: Verdict) -> None:
    """The gateway's log has a line for each completion that was committed."""
    ended: Counter[str] = Counter()
    for line in made.log("gateway").read_text(errors="replace").splitlines():
        if '"job_completed"' in line:
            ended[json.loads(line)["job_id"]] += 1
    twice = {job_id: count for job_id, count in ended.items() if count > 1}
    verdict.done_twice += len(twice)
    verdict.details += [f"{job_id} was completed {count} times" for job_id, count in twice.items()]


def _judge_leftovers(made: Parts, attached: set[str], verdict: Verdict) -> None:
    for path in _left_files(made, attached):
        verdict.leftovers += 1
        verdict.details.append(f"left over: {path}")
    with Redis.from_url(made.redis_url) as redis:
        for name in PUSH_LISTS:
            for key in (name, f"{name}:processing", f"{name}:dead"):
                if count := int(str(redis.llen(key))):
                    verdict.leftovers += count
                    verdict.details.append(f"{count} pushes left in {key}")


def _left_files(made: Parts, attached: set[str]) -> list[str]:
    """Files that no track has, and whatever stands in the folder for work under way."""
    found = (path.relative_to(made.audio_dir) for path in made.audio_dir.rglob("*"))
    return sorted(
        path.as_posix()
        for path in found
        if (path.parts[0] == ".incoming" and len(path.parts) > 1)
        or (path.as_posix() not in attached and (made.audio_dir / path).is_file())
    )


def _judge_older_readers(made: Parts, wishes: list[Wish], verdict: Verdict) -> None:
    with Redis.from_url(made.redis_url, decode_responses=True) as redis:
        for wish in wishes:
            status = redis.hget(f"job:{wish.older_id}", "status") if wish.older_id else None
            if wish.older_id and status != ("failed" if wish.code else "completed"):
                verdict.older_readers_misled += 1
                verdict.details.append(f"{wish.older_id}: its status is {status}")


def _await_quiet(made: Parts) -> None:
    """The bridge drains its lists and shows the ends, and the workers' sweep of folders comes round."""

    def quiet() -> bool:
        with Redis.from_url(made.redis_url) as redis:
            waiting = sum(int(str(redis.llen(f"{n}{s}"))) for n in PUSH_LISTS for s in ("", ":processing"))
            return not waiting and not redis.exists("dj:pushes:open") and not _dead_folders(made)

    await_true(quiet, "bridge and workers have tidied up", seconds=_SETTLE_SECONDS)


def _dead_folders(made: Parts) -> bool:
    incoming = made.audio_dir / ".incoming"
    return incoming.is_dir() and any(incoming.iterdir())
