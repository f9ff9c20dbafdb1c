"""A bounded pool of processes that compute. The event loop only waits for them.

Each worker serves one request at a time over its own pipe, so a crash fails that request and no other,
and a client that goes away costs only the process that worked for it: it is ended and replaced.
"""

import asyncio
import multiprocessing
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from dj_servicekit.errors import Busy, ServiceError, UpstreamTimeout
from dj_servicekit.logs import log
from ga_service.work import Answer, Failure, Progress, Task, serve_tasks


class WorkerCrashed(ServiceError):
    """A computing process died. That is a fault of ours, but only this request is lost."""

    status = 500


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection

    def end(self) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()
        # The kill makes the pipe's other end close, which wakes a thread that still reads from it.
        threading.Thread(target=self._bury, daemon=True).start()

    def _bury(self) -> None:
        self.process.join(10)


class ComputePool:
    def __init__(self, *, size: int, waiting: int, timeout_seconds: float) -> None:
        self._size = size
        self._most = size + waiting
        self._timeout_seconds = timeout_seconds
        self._admitted = 0
        self.busy_pids: set[int] = set()
        self._turn = asyncio.Semaphore(size)
        self._idle: list[_Worker] = []
        # A thread waits on each busy pipe; the spare ones cover workers that are being replaced.
        self._threads = ThreadPoolExecutor(2 * size + 2, thread_name_prefix="pipe")
        # A fork server stays small and single-threaded, and preloads numpy and DEAP once for all workers.
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["ga_service.work"])

    async def start(self) -> None:
        """Have the workers ready before the first request."""
        self._idle = [await self._in_thread(self._hire) for _ in range(self._size)]

    async def close(self) -> None:
        for worker in self._idle:
            worker.end()
            await self._in_thread(worker.process.join, 5)
            worker.pipe.close()
        self._idle.clear()
        self._threads.shutdown(wait=False)

    @property
    def is_full(self) -> bool:
        return self._admitted >= self._most

    def refuse_when_full(self) -> None:
        if self.is_full:
            raise Busy("Every set builder is at work and the queue is full. Try again in a few seconds.")

    async def run(self, task: Task) -> Answer:
        async with aclosing(self.stream(task)) as messages:
            async for message in messages:
                if isinstance(message, Answer):
                    return message
        raise WorkerCrashed("The computation ended without an answer. Try again.")

    async def stream(self, task: Task) -> AsyncGenerator[Progress | Answer]:
        """The worker's messages, the answer last. Leaving early ends the work."""
        self.refuse_when_full()
        self._admitted += 1
        try:
            async with self._turn:
                worker = self._idle.pop() if self._idle else await self._in_thread(self._hire)
                self.busy_pids.add(worker.process.pid or 0)
                finished = False
                try:
                    async with asyncio.timeout(self._timeout_seconds):
                        await self._in_thread(_send, worker, task)
                        while True:
                            message = await self._in_thread(_receive, worker)
                            if not isinstance(message, Progress):
                                finished = True
                                break
                            yield message
                except TimeoutError as exc:
                    raise UpstreamTimeout(
                        f"No set was found within {self._timeout_seconds:g} s. "
                        "Send fewer tracks or a time budget."
                    ) from exc
                finally:
                    self.busy_pids.discard(worker.process.pid or 0)
                    if finished and worker.process.is_alive():
                        self._idle.append(worker)
                    else:
                        worker.end()
            if isinstance(message, Failure):
                raise message.as_error()
            yield message
        finally:
            self._admitted -= 1

    async def _in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)

    def _hire(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=serve_tasks, args=(theirs,), daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours)


def _send(worker: _Worker, task: Task) -> None:
    try:
        worker.pipe.send(task)
    except (OSError, EOFError) as exc:
        raise _crashed(worker) from exc


def _receive(worker: _Worker) -> Any:
    try:
        return worker.pipe.recv()
    except (OSError, EOFError) as exc:
        raise _crashed(worker) from exc


def _crashed(worker: _Worker) -> WorkerCrashed:
    worker.process.join(1)
    log.error("worker_crashed", exit_code=worker.process.exitcode)
    return WorkerCrashed("The process that computed this set died. The other requests go on; try again.")
