"""The pool: a crash, a hang and hunger end one request each, and the next one is answered."""

import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import Any

import numpy as np
import pytest

from dj_contracts.errors import ErrorCode
from dj_servicekit.errors import Busy
from essentia_api.errors import GivenUp, Unusable
from essentia_api.measure.engine import analyze_file
from essentia_api.pool import AnalysisPool, _Cores
from essentia_api.testing import Write, house_loop


class Housed:
    """A pool whose every question takes a place first, as a request does."""

    def __init__(self, pool: AnalysisPool) -> None:
        self.pool = pool

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        with self.pool.place():
            return self.pool.run(function, *args)


@pytest.fixture(scope="module")
def pool() -> Iterator[Housed]:
    pool = AnalysisPool(size=2, waiting=1, timeout_seconds=3, memory_mb=3000)
    yield Housed(pool)
    pool.close()


def test_a_crash_in_native_code_fails_one_request_and_no_more(pool: Housed) -> None:
    with ThreadPoolExecutor(2) as threads:
        neighbour = threads.submit(pool.run, pow, 7, 2)
        with pytest.raises(Unusable) as caught:
            pool.run(os.abort)
        assert caught.value.code is ErrorCode.ANALYSIS_CRASHED
        assert neighbour.result() == 49
    assert pool.run(pow, 2, 3) == 8


def test_a_hang_is_killed(pool: Housed) -> None:
    with pytest.raises(Unusable) as caught:
        pool.run(time.sleep, 60)
    assert caught.value.code is ErrorCode.ANALYSIS_TIMEOUT
    assert pool.run(pow, 2, 3) == 8


def test_hunger_for_memory_fails_alone(pool: Housed) -> None:
    with pytest.raises(Unusable) as caught:
        pool.run(bytes, 4_000_000_000)
    assert caught.value.code is ErrorCode.ANALYSIS_CRASHED
    assert pool.run(pow, 2, 3) == 8


def test_a_process_that_is_killed_while_it_has_nothing_to_do_is_replaced(pool: Housed) -> None:
    for pause in (0.5, 0):
        os.kill(pool.run(os.getpid), signal.SIGKILL)
        time.sleep(pause)
        # Only who asks in that very moment may have to ask again.
        for _ in range(5):
            with suppress(Busy):
                pool.run(time.sleep, 0.2)
        assert [pool.run(pow, 2, 3) for _ in range(4)] == [8, 8, 8, 8]


def test_a_full_queue_says_when_to_ask_again(pool: Housed) -> None:
    started = threading.Barrier(4)

    def wait() -> None:
        started.wait()
        with pytest.raises(Unusable):
            pool.run(time.sleep, 60)

    threads = [threading.Thread(target=wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    started.wait()
    deadline = time.monotonic() + 2
    while not pool.pool.is_full and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    with pytest.raises(Busy) as caught:
        pool.run(pow, 2, 3)
    assert caught.value.headers == {"Retry-After": "5"}
    for thread in threads:
        thread.join()
    assert pool.run(pow, 2, 3) == 8


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a process to a core")
def test_files_that_are_measured_at_once_keep_to_cores_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {2, 5, 7})
    shared = _Cores(3)
    with ExitStack() as held:
        given = [held.enter_context(shared.one(threading.Event())) for _ in range(3)]
        assert sorted(sorted(cores or ()) for cores in given) == [[2], [5], [7]]
    with _Cores(2).one(threading.Event()) as cores:
        assert cores is None, "with fewer processes than cores the system knows better"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a process to a core")
def test_who_hangs_up_does_not_wait_for_a_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {2})
    shared, given_up = _Cores(1), threading.Event()
    with shared.one(threading.Event()):
        threading.Timer(0.1, given_up.set).start()
        with pytest.raises(GivenUp), shared.one(given_up):
            pytest.fail("there was a core for two")
    with shared.one(threading.Event()) as cores:
        assert cores == {2}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a process to a core")
def test_a_process_stays_where_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    where_it_is = os.sched_getaffinity
    core = {min(where_it_is(0))}
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: core)
    pool = AnalysisPool(size=1, waiting=0, timeout_seconds=60, memory_mb=3000)
    try:
        assert pool.run(where_it_is, 0) == core
    finally:
        pool.close()


def test_a_pool_that_closes_sends_away_who_works_and_who_waits() -> None:
    size = os.cpu_count() or 1
    pool = AnalysisPool(size=size, waiting=2, timeout_seconds=60, memory_mb=3000)
    assert pool.run(pow, 2, 3) == 8
    threads = ThreadPoolExecutor(size + 2)
    try:
        asked = [threads.submit(pool.run, time.sleep, 30) for _ in range(size + 2)]
        time.sleep(0.5)
        pool.close()
        assert [type(one.exception(timeout=20)) for one in asked] == [Busy] * (size + 2)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


def test_a_process_that_is_used_again_holds_ten_minutes_in_500_mb(write: Write) -> None:
    left = house_loop(seconds=60)
    path = write("long.mp3", np.tile(np.stack([left, np.roll(left, 400)], axis=1), (10, 1)))
    pool = AnalysisPool(size=1, waiting=0, timeout_seconds=120, memory_mb=4000)
    try:
        for _ in range(3):
            assert pool.run(analyze_file, str(path), 3600.0).duration_seconds == pytest.approx(600, abs=0.2)
        assert pool.run(resource.getrusage, resource.RUSAGE_SELF).ru_maxrss < 500 * 1024
    finally:
        pool.close()
