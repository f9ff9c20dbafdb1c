"""The gateway's endpoints for raw pushes in memory: idempotent, and strict about what they take."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pydantic import ValidationError

from dj_contracts.jobs import JobState
from dj_contracts.pushes import PushRegistration, PushState
from download_worker.testing.fake_gateway import TOKEN
from download_worker.testing.server import Handler, serving

_STATE = re.compile(r"/internal/pushes/([A-Za-z0-9_-]+)")
_KNOWN_JOB_TYPES = ("download", "analyze-local")


@dataclass
class FakePushes:
    """``broken_answers`` go out instead of true ones, to play a gateway in trouble."""

    url: str = ""
    registrations: list[PushRegistration] = field(default_factory=list)
    jobs: dict[str, PushState] = field(default_factory=dict)
    broken_answers: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def register(self, body: bytes) -> tuple[int, dict[str, object]]:
        try:
            push = PushRegistration.model_validate_json(body)
        except ValidationError as exc:
            return 422, {"code": "malformed", "detail": str(exc)}
        if push.job_type not in _KNOWN_JOB_TYPES:
            return 422, {"code": "malformed", "detail": f"There is no job of the kind {push.job_type}."}
        self.registrations.append(push)
        state = self.jobs.setdefault(
            push.id, PushState(job_id=f"job{len(self.jobs)}", state=JobState.WAITING, progress=0)
        )
        return 200, state.model_dump(mode="json")

    def find(self, job_id: str) -> PushState | None:
        return next((state for state in self.jobs.values() if state.job_id == job_id), None)

    def set_state(self, job_id: str, **fields: object) -> None:
        with self.lock:
            for push_id, state in self.jobs.items():
                if state.job_id == job_id:
                    self.jobs[push_id] = state.model_copy(update=fields)


@contextmanager
def fake_pushes(port: int = 0, pushes: FakePushes | None = None) -> Iterator[FakePushes]:
    known = pushes or FakePushes()

    class PushHandler(Handler):
        def do_POST(self) -> None:  # noqa: N802 - the base class's name
            body = self.body()
            with known.lock:
                if known.broken_answers:
                    return self.answer(known.broken_answers.pop(0), {})
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    return self.answer(401, {})
                if self.path != "/internal/pushes":
                    return self.answer(404, {})
                return self.answer(*known.register(body))

        def do_GET(self) -> None:  # noqa: N802 - the base class's name
            found = _STATE.fullmatch(self.path)
            with known.lock:
                state = known.find(found[1]) if found else None
            if state is None:
                return self.answer(404, {})
            return self.answer(200, state.model_dump(mode="json"))

    with serving(PushHandler, port) as server:
        known.url = server.url
        yield known
