"""Processes that measure, so that a crash, a hang or a hunger for memory ends one request and no more.

pebble's pool is used because only the guilty future fails and a dead process is replaced at once.
"""

import ctypes
import multiprocessing
import os
import queue
import resource
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as FutureTimeout
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any
from weakref import WeakSet

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from dj_contracts.errors import ErrorCode
from dj_servicekit.errors import Busy
from dj_servicekit.logs import log
from essentia_api.errors import GivenUp, Refusal, Unusable

_TASKS_PER_PROCESS = 200  # a bound on whatever native code leaks
_SECONDS_PER_WAITING = 5
_SECONDS_BETWEEN_LOOKS = 0.5


class AnalysisPool:
    def __init__(self, *, size: int, waiting: int, timeout_seconds: float, memory_mb: int) -> None:
        self._timeout_seconds = timeout_seconds
        self._places = threading.BoundedSemaphore(size + waiting)
        self._lock = threading.Lock()
        self._taken = 0
        self._capacity = size + waiting
        self._cores = _Cores(size)
        self._tasks: WeakSet[ProcessFuture[Any]] = WeakSet()
        self._door = threading.Lock()  # held while a task begins, and the first one starts the processes
        self._closed = False
        self._start = partial(_start, size, memory_mb)
        self._pool = self._start()

    @property
    def capacity(self) -> int:
        """How many requests may be in the house: those that are measured, and those that wait."""
        return self._capacity

    @property
    def taken(self) -> int:
        return self._taken

    @property
    def is_full(self) -> bool:
        return self._taken >= self._capacity

    @contextmanager
    def place(self) -> Iterator[None]:
        """One of the places of the house, so that nothing is fetched or read for a request that must wait
        outside."""
        if not self._places.acquire(blocking=False):
            raise Busy(
                "Every analysis process is busy and the queue is full. Ask again in a moment.",
                retry_after_seconds=_SECONDS_PER_WAITING,
            )
        with self._lock:
            self._taken += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken -= 1
            self._places.release()

    def run(
        self, function: Callable[..., Any], /, *args: Any, given_up: threading.Event | None = None
    ) -> Any:
        """Wait for the answer of ``function(*args)`` from one of the processes; the caller has a place, and
        may set ``given_up`` meanwhile."""
        given_up = given_up or threading.Event()
        try:
            with self._cores.one(given_up) as cores:
                return _answer(*self._begin(cores, function, *args), given_up)
        except Refusal as exc:
            raise exc.as_answer() from exc
        except (ProcessExpired, MemoryError) as exc:
            log.warning("analysis_crashed", reason=repr(exc))
            raise Unusable(
                "The analysis of this file crashed or was killed. Ask again; if that does not help, convert "
                "the file.",
                code=ErrorCode.ANALYSIS_CRASHED,
            ) from exc
        except FutureTimeout as exc:
            log.warning("analysis_timed_out", seconds=self._timeout_seconds)
            raise Unusable(
                f"The analysis took longer than {self._timeout_seconds:.0f} seconds and was given up. "
                "Raise ANALYSIS_TIMEOUT_SECONDS if this machine is slow.",
                code=ErrorCode.ANALYSIS_TIMEOUT,
            ) from exc
        except BrokenProcessPool as exc:
            log.warning("analysis_processes_lost", reason=str(exc))
            raise Busy("An analysis process was killed from outside. Ask again in a moment.") from exc
        except CancelledError as exc:
            raise Busy("The service is stopping. Ask again in a moment.") from exc

    def _begin(
        self, cores: set[int] | None, function: Callable[..., Any], *args: Any
    ) -> tuple[ProcessPool, ProcessFuture[Any]]:
        with self._door:
            if self._closed:
                raise CancelledError
            try:
                task = self._schedule(cores, function, *args)
            except RuntimeError:
                # pebble gives up all processes when one is killed that has nothing to do.
                _stop(self._pool)
                self._pool = self._start()
                task = self._schedule(cores, function, *args)
            self._tasks.add(task)
            return self._pool, task

    def _schedule(self, *task: Any) -> ProcessFuture[Any]:
        return self._pool.schedule(_run, args=task, timeout=self._timeout_seconds)

    def close(self) -> None:
        """Give up what is under way; a client that waits is told to ask again."""
        with self._door:
            self._closed = True
            for task in self._tasks:
                task.cancel()  # type: ignore[no-untyped-call]
        _stop(self._pool)


def _start(size: int, memory_mb: int) -> ProcessPool:
    context = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")
    if sys.platform == "linux":
        # The import of Essentia takes a second; children of the fork server have it already.
        context.set_forkserver_preload(["essentia_api.measure.engine"])
    return ProcessPool(
        max_workers=size,
        max_tasks=_TASKS_PER_PROCESS,
        initializer=_limit_memory,
        initargs=(memory_mb,),
        context=context,
    )


def _stop(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]
    pool.join()


def _answer(pool: ProcessPool, task: ProcessFuture[Any], given_up: threading.Event) -> Any:
    """What a pool is given in the moment in which it breaks would be waited for without end."""
    while True:
        try:
            return task.result(timeout=_SECONDS_BETWEEN_LOOKS)
        except FutureTimeout:
            if task.done():
                return task.result()
            if not pool.active:
                raise BrokenProcessPool("it broke before this began") from None
            if given_up.is_set():
                task.cancel()  # type: ignore[no-untyped-call]
                raise GivenUp from None


class _Cores:
    """A core for each file that is measured, where there are as many cores as processes: a process and its
    ffmpeg that wander between two cores get a sixth less done."""

    def __init__(self, size: int) -> None:
        cores = os.sched_getaffinity(0) if sys.platform == "linux" else set[int]()
        self._are_enough = len(cores) == size
        self._free: queue.SimpleQueue[int] = queue.SimpleQueue()
        for core in cores:
            self._free.put(core)

    @contextmanager
    def one(self, given_up: threading.Event) -> Iterator[set[int] | None]:
        """Waits while every process has a file: which core will be free next is not known before."""
        if not self._are_enough:
            yield None
            return
        core = self._next(given_up)
        try:
            yield {core}
        finally:
            self._free.put(core)

    def _next(self, given_up: threading.Event) -> int:
        while not given_up.is_set():
            with suppress(queue.Empty):
                return self._free.get(timeout=_SECONDS_BETWEEN_LOOKS)
        raise GivenUp


def _run(cores: set[int] | None, function: Callable[..., Any], *args: Any) -> Any:
    """In the process. What one file has left in the allocator must not stand below the next one's peak."""
    if sys.platform == "linux" and cores:
        # A container may have lost cores since the service began.
        with suppress(OSError):
            os.sched_setaffinity(0, cores)
    try:
        return function(*args)
    finally:
        if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
            trim(0)


def _limit_memory(memory_mb: int) -> None:
    limit = memory_mb * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
