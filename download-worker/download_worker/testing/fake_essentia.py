"""``POST /analyze`` that answers from a script and then with a fixed, complete result."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from dj_contracts.analysis import AnalysisResult, Tempo
from download_worker.testing.server import Handler, serving

RESULT = AnalysisResult(
    engine_version="test-1",
    duration_seconds=30.5,
    tempo=Tempo(bpm=128.0, confidence=0.9),
    beats=[0.5, 1.0],
)


@dataclass
class FakeEssentia:
    """``script`` holds (status, body, headers) for the next requests; ``gate`` holds answers back, and each
    takes ``seconds``."""

    url: str = ""
    asked: list[Any] = field(default_factory=list)
    request_ids: list[str | None] = field(default_factory=list)
    script: list[tuple[int, dict[str, Any], dict[str, str]]] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    seconds: float = 0.0

    def refuse(self, status: int, code: str, detail: str, **headers: str) -> None:
        body = {"code": code, "detail": detail, "error": detail, "request_id": "r"}
        self.script.append((status, body, headers))


@contextmanager
def fake_essentia(port: int = 0) -> Iterator[FakeEssentia]:
    essentia = FakeEssentia()
    essentia.gate.set()

    class EssentiaHandler(Handler):
        def do_POST(self) -> None:  # noqa: N802 - the base class's name
            essentia.request_ids.append(self.headers.get("X-Request-ID"))
            essentia.asked.append(json.loads(self.body()))
            if self.path != "/analyze":
                return self.answer(404, {})
            if essentia.script:
                return self.answer(*essentia.script.pop(0))
            essentia.gate.wait(30)
            time.sleep(essentia.seconds)
            return self.answer(200, RESULT.model_dump(mode="json"))

    with serving(EssentiaHandler, port) as server:
        essentia.url = server.url
        try:
            yield essentia
        finally:
            essentia.gate.set()
