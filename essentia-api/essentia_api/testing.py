"""Audio with known truth, made in code, for tests."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import uvicorn
from fastapi import FastAPI
from numpy.typing import NDArray

from essentia_api.decode import SAMPLE_RATE

Write = Callable[..., Path]
_CHORDS = {"minor": (0, 3, 7), "major": (0, 4, 7)}


def house_loop(
    *, bpm: float = 124.0, tonic: int = 9, mode: str = "minor", seconds: float = 30.0, start: float = 0.0
) -> NDArray[np.float32]:
    """Kick, clap, hats, bass and chords: i-iv-v-i in a key, one chord a bar."""
    rng = np.random.default_rng(5)
    count = int(seconds * SAMPLE_RATE)
    out = np.zeros(count + 3 * SAMPLE_RATE, dtype=np.float64)
    beat = 60.0 / bpm

    def add(at: float, sound: NDArray[np.float64]) -> None:
        first = round(at * SAMPLE_RATE)
        if first < count:
            out[first : first + len(sound)] += sound

    clock = np.arange(int(0.25 * SAMPLE_RATE)) / SAMPLE_RATE
    kick = np.sin(2 * np.pi * (45 * clock + 60 / 30 * (1 - np.exp(-clock * 30)))) * np.exp(-clock * 14)
    clap = rng.standard_normal(len(clock)) * np.exp(-clock * 25) * 0.35
    hat = np.diff(rng.standard_normal(len(clock) + 1)) * np.exp(-clock * 70) * 0.12
    bar_clock = np.arange(int(4 * beat * SAMPLE_RATE)) / SAMPLE_RATE
    for bar in range(int((seconds - start) / (4 * beat)) + 1):
        root = tonic + (0, 5, 7, 0)[bar % 4]
        at = start + bar * 4 * beat
        notes = [48 + root + step for step in _CHORDS[mode]]
        chord = np.sum(
            [
                np.sin(2 * np.pi * 440 * 2 ** ((note - 69) / 12) * h * bar_clock) / h
                for note in notes
                for h in (1, 2, 3)
            ],
            axis=0,
        )
        add(at, chord * 0.12 * np.exp(-bar_clock * 0.7))
        add(
            at,
            0.3
            * np.sin(2 * np.pi * 440 * 2 ** ((36 + root % 12 - 69) / 12) * bar_clock)
            * np.exp(-bar_clock),
        )
        for step in range(4):
            add(at + step * beat, kick)
            add(at + (step + 0.5) * beat, hat)
            if step % 2:
                add(at + step * beat, clap)
    loop: NDArray[np.float32] = (out[:count] / np.max(np.abs(out)) * 0.8).astype(np.float32)
    return loop


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The service on a free port of this machine, in a thread, until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on"))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        if time.monotonic() > deadline or not thread.is_alive():
            raise RuntimeError("The service did not start.")
        thread.join(0.02)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
