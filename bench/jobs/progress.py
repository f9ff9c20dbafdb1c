"""How old the news of a download is when a client of the event stream reads it."""

import json
import statistics
import threading
import time
from contextlib import suppress
from dataclasses import dataclass

import httpx

from bench._constellation import Parts
from download_worker.testing.audio_server import AudioServer

_SHARE_OF_DOWNLOAD = 0.9  # of the bar; the rest is verification
_SIZE = 2_000_000
# The slow source stops in the middle, and the last block of bytes is told of when it is full.
_SHARE_WATCHED = 0.35


@dataclass(frozen=True)
class Progress:
    events: int
    median_seconds: float
    longest_seconds: float


def measure_progress(made: Parts, web: AudioServer) -> Progress:
    """The source sends a known amount at known times; each new word of progress is held against that."""
    web.files["slow.wav"] = ("audio/wav", b"\0" * _SIZE)
    ages: list[float] = []
    with httpx.Client(base_url=made.gateway_url, timeout=60, trust_env=False) as http:
        http.post("/api/tracks", json={"track_id": "slow", "title": "Slow"}).raise_for_status()
        connected = threading.Event()
        reader = threading.Thread(target=_read, args=(made.gateway_url, web, connected, ages), daemon=True)
        reader.start()
        connected.wait(30)
        made.start("worker")
        link = {"url": f"{web.url}/slow/slow.wav"}
        http.post("/api/tracks/slow/download", json=link).raise_for_status()
        reader.join(60)
        web.gate.set()
        made.stop("worker")
    if not ages:
        raise SystemExit("No event of progress arrived.")
    return Progress(len(ages), statistics.median(ages), max(ages))


def _read(url: str, web: AudioServer, connected: threading.Event, ages: list[float]) -> None:
    with (
        # The gateway is stopped before the stream is, when the last block was not told of.
        suppress(httpx.RemoteProtocolError),
        httpx.Client(base_url=url, timeout=60, trust_env=False) as http,
        http.stream("GET", "/api/jobs/events") as stream,
    ):
        newest = 0.0
        for line in stream.iter_lines():
            connected.set()
            if not line.startswith("data:"):
                continue
            event = json.loads(line.removeprefix("data:"))
            if event["track_id"] != "slow" or event["stage"] != "downloading" or not event["progress"]:
                continue
            now = time.monotonic()
            seen = event["progress"] / 100 / _SHARE_OF_DOWNLOAD * _SIZE
            if seen <= newest:
                continue  # a sign of life with the same word
            newest = seen
            # When the last byte that this event tells of had been sent.
            sent_at = next((at for at, total in list(web.sent) if total >= seen - 1), None)
            if sent_at is not None:
                ages.append(now - sent_at)
            if seen > _SIZE * _SHARE_WATCHED:
                return
