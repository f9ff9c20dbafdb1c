"""A small load generator: clients on kept connections, and what each answer took.

It speaks just enough HTTP/1.1, because a full client costs more than the answers measured here.
"""

import asyncio
import json
import re
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Timings:
    milliseconds: list[float]
    failed: int
    per_second: float

    def quantile(self, share: float) -> float:
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    @property
    def median(self) -> float:
        return statistics.median(self.milliseconds)


async def _client(port: int, paths: Sequence[str], took: list[float]) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    failed = 0
    for path in paths:
        started = time.perf_counter()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        )
        await reader.readexactly(length)
        took.append((time.perf_counter() - started) * 1000)
        failed += not head.startswith(b"HTTP/1.1 200")
    writer.close()
    await writer.wait_closed()
    return failed


async def measure(port: int, paths: Sequence[str], clients: int) -> Timings:
    """Share the paths out among clients that each ask one after the other."""
    took: list[float] = []
    started = time.perf_counter()
    failed = await asyncio.gather(*(_client(port, paths[n::clients], took) for n in range(clients)))
    return Timings(took, sum(failed), len(paths) / (time.perf_counter() - started))


def wait_for(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            httpx.get(url, timeout=2)
            return
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def save(name: str, result: object) -> None:
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
