"""What a computing process does: take a task from its pipe, answer, take the next.

The answer crosses the pipe as JSON text, ready to send: the parent never touches thousands of tracks.
"""

import json
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from pydantic import BaseModel, ValidationError

from dj_contracts.errors import ErrorCode
from dj_contracts.set_building import BuildRequest, NextRequest, PathRequest, ScoreRequest
from dj_contracts.sets import OrderRequest
from dj_servicekit.errors import Malformed, ServiceError
from dj_servicekit.http import describe
from ga_service.build import build
from ga_service.nextup import next_up
from ga_service.order import order
from ga_service.path import path
from ga_service.score import score

Report = Callable[[dict[str, object]], None]
_SECONDS_BETWEEN_REPORTS = 0.2


@dataclass(frozen=True)
class Task:
    """A request as it came over the wire: thousands of tracks are read here, never on the event loop."""

    kind: type[BaseModel]
    body: bytes
    wants_progress: bool = False


@dataclass(frozen=True)
class Progress:
    data: dict[str, object]


@dataclass(frozen=True)
class Answer:
    body: bytes


@dataclass(frozen=True)
class Failure:
    """An error that the request itself brought about."""

    status: int
    code: ErrorCode
    detail: str

    def as_error(self) -> ServiceError:
        if self.status == Malformed.status:
            return Malformed(self.detail, code=self.code)
        return ServiceError(self.detail, code=self.code)


def serve_tasks(pipe: Connection) -> None:
    # Ctrl-C reaches the whole process group; the parent decides when its workers end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            task: Task = pipe.recv()
        except (EOFError, OSError):
            return
        last_report = 0.0

        def report(data: dict[str, object], task: Task = task) -> None:
            nonlocal last_report
            if task.wants_progress and time.monotonic() - last_report >= _SECONDS_BETWEEN_REPORTS:
                last_report = time.monotonic()
                pipe.send(Progress(data))

        message: Answer | Failure
        try:
            message = Answer(answer(task, report))
        except ServiceError as exc:
            message = Failure(exc.status, exc.code, exc.detail)
        try:
            pipe.send(message)
        except OSError:
            return


def answer(task: Task, report: Report) -> bytes:
    return to_json(_COMPUTES[task.kind](_read(task), report))


def _read(task: Task) -> BaseModel:
    try:
        try:
            return task.kind.model_validate_json(task.body)
        except ValidationError as exc:
            if exc.errors()[0]["type"] != "json_invalid":
                raise
            # The slower parser also takes what the fast one does not: half a surrogate pair, UTF-16.
            return task.kind.model_validate(json.loads(task.body))
    except ValidationError as exc:
        raise Malformed(describe(exc.errors(), task.kind)) from exc
    except (ValueError, RecursionError) as exc:
        raise Malformed(f"The body is not JSON that can be read: {exc}.") from exc


_COMPUTES: dict[type[BaseModel], Callable[[Any, Report], BaseModel]] = {
    OrderRequest: order,
    BuildRequest: build,
    PathRequest: path,
    NextRequest: next_up,
    ScoreRequest: score,
}


def to_json(result: BaseModel) -> bytes:
    """JSON in ASCII, so that any text a caller sent, even half a surrogate pair, goes back as it came."""
    try:
        return json.dumps(_plain(result), allow_nan=False).encode()
    except ValueError as exc:
        raise Malformed(
            "A track holds NaN or Infinity, which JSON has no name for. Send null instead."
        ) from exc


def _plain(value: Any) -> Any:
    """Models to dicts; a caller's own objects stay the very objects they were."""
    if isinstance(value, BaseModel):
        return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, list) and value and isinstance(value[0], BaseModel):
        return [_plain(item) for item in value]
    return value
