"""Starts the table of services in order, keeps them alive, and stops them in reverse order.

One thread does all of it: the kernel ties the death signal of a child to the thread that started it.
"""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any

import psutil

from standalone.constellation import Constellation, Service
from standalone.home import Home
from standalone.log_files import last_line, rotate
from standalone.processes import StartError, spawn, stop

_START_SECONDS = 90.0
_FOREIGN_SECONDS = 10.0
_REAP_SECONDS = 3.0
_PROBE_EVERY_SECONDS = 3.0
_LONGEST_BACK_OFF_SECONDS = 30.0
_FORGIVEN_AFTER_SECONDS = 60.0


class Health(StrEnum):
    WAITING = "waiting"
    STARTING = "starting"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    RESTARTING = "restarting"
    STOPPED = "stopped"
    DONE = "done"


@dataclass
class Running:
    """A service and what has become of it."""

    service: Service
    health: Health = Health.WAITING
    child: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    quick_deaths: int = 0
    started_at: float = 0.0
    restart_at: float | None = None

    @property
    def pid(self) -> int:
        return self.child.pid if self.child else 0


Announce = Callable[[Running, float], None]


class Supervisor:
    def __init__(self, home: Home, constellation: Constellation) -> None:
        self.home = home
        self.constellation = constellation
        self.table = [Running(service) for service in constellation.services]
        self._stop_asked = False
        self._next_probe = 0.0

    def run(self, announce: Announce, when_up: Callable[[], None]) -> None:
        """Start everything, stay until a signal, stop everything. StartError when a start fails."""
        with self._signals() as wakeup:
            try:
                self._start_all(wakeup, announce)
                if not self._stop_asked:
                    when_up()
                while not self._stop_asked:
                    self._watch()
                    _drain(wakeup, timeout=self._idle_seconds())
            finally:
                self._stop_all()

    def _start_all(self, wakeup: int, announce: Announce) -> None:
        end_what_was_left(self.home)
        for _stage, members in groupby(self.table, key=lambda each: each.service.stage):
            group = list(members)
            for each in group:
                if each.service.before is not None:
                    each.service.before()
                self._spawn(each)
            self._await_health(group, wakeup, announce)
            if self._stop_asked:
                return

    def _await_health(self, group: list[Running], wakeup: int, announce: Announce) -> None:
        started = time.monotonic()
        pending = list(group)
        while pending and not self._stop_asked:
            for each in list(pending):
                if self._has_started(each):
                    pending.remove(each)
                    announce(each, time.monotonic() - each.started_at)
                    self._save()
            if pending:
                _refuse_if_late(pending[0].service, time.monotonic() - started)
                _drain(wakeup, timeout=0.05)

    def _has_started(self, each: Running) -> bool:
        name = each.service.name
        code = each.child.poll() if each.child else None
        if code is not None and not (each.service.once and code == 0):
            said = last_line(self.home.logs / f"{name}.log")
            raise StartError(f"{name} ended with code {code} while starting{': ' + said if said else '.'}")
        if each.service.once:
            if code is None:
                return False
            each.health = Health.DONE
            return True
        if not each.service.probe(each.pid):
            return False
        each.health = Health.HEALTHY
        return True

    def _spawn(self, each: Running) -> None:
        each.started_at = time.monotonic()
        each.restart_at = None
        each.health = Health.STARTING
        if each.service.command is not None:
            each.child = spawn(each.service.command, self.home.logs / f"{each.service.name}.log")
        self._save()

    def _watch(self) -> None:
        """Notice the dead, start them again when their time has come, and ask the others how they are."""
        now = time.monotonic()
        probe_due = now >= self._next_probe
        if probe_due:
            self._next_probe = now + _PROBE_EVERY_SECONDS
            for log in self.home.logs.glob("*.log"):
                rotate(log)
        for each in self.table:
            if each.service.once:
                continue
            if each.restart_at is not None:
                if now >= each.restart_at:
                    self._spawn(each)
            elif each.child is not None and each.child.poll() is not None:
                self._note_death(each, now)
            elif probe_due or each.health is Health.STARTING:
                self._ask(each)

    def _note_death(self, each: Running, now: float) -> None:
        assert each.child is not None  # noqa: S101 - the caller saw it die
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(each.child.pid, signal.SIGKILL)
        lived = now - each.started_at
        each.quick_deaths = 1 if lived > _FORGIVEN_AFTER_SECONDS else each.quick_deaths + 1
        each.restart_at = now + min(0.25 * 2**each.quick_deaths, _LONGEST_BACK_OFF_SECONDS)
        each.restarts += 1
        each.health = Health.RESTARTING
        self._save()

    def _ask(self, each: Running) -> None:
        if each.service.probe(each.pid):
            health = Health.HEALTHY
        else:
            health = Health.STARTING if each.health is Health.STARTING else Health.UNHEALTHY
        if health is not each.health:
            each.health = health
            self._save()

    def _idle_seconds(self) -> float:
        """Until something may have to be done; a death wakes us at once by its signal."""
        if any(each.health is Health.STARTING for each in self.table):
            return 0.2
        due = [self._next_probe, *(each.restart_at for each in self.table if each.restart_at is not None)]
        return max(0.0, min(due) - time.monotonic())

    def _stop_all(self) -> None:
        for each in reversed(self.table):
            if each.child is not None and each.service.command is not None and not each.service.once:
                stop(each.child, each.service.command.stop_signal)
            elif each.child is not None:
                stop(each.child, signal.SIGTERM)
            if each.health is not Health.DONE:
                each.health = Health.STOPPED
            self._save()

    def _save(self) -> None:
        self.home.write_state(describe(self.home, self.constellation, self.table))

    @contextmanager
    def _signals(self) -> Iterator[int]:
        """Signals become bytes in a pipe, so that waiting ends at once and nothing is missed."""
        read_end, write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

        def ask_to_stop(_number: int, _frame: object) -> None:
            self._stop_asked = True

        wanted: dict[signal.Signals, Any] = {
            signal.SIGINT: ask_to_stop,
            signal.SIGTERM: ask_to_stop,
            signal.SIGHUP: ask_to_stop,
            signal.SIGCHLD: lambda _number, _frame: None,
        }
        before = {number: signal.signal(number, handler) for number, handler in wanted.items()}
        old_fd = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        try:
            yield read_end
        finally:
            signal.set_wakeup_fd(old_fd)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(read_end)
            os.close(write_end)


def _refuse_if_late(service: Service, seconds: float) -> None:
    if service.command is None and seconds > _FOREIGN_SECONDS:
        name = "DATABASE_URL" if service.name == "postgres" else "REDIS_URL"
        raise StartError(f"The server that {name} names does not answer. Start it, or unset {name}.")
    if seconds > _START_SECONDS:
        raise StartError(
            f"{service.name} was not healthy after {_START_SECONDS:.0f} s. See: ./dj logs {service.name}"
        )


def _drain(wakeup: int, *, timeout: float) -> None:
    ready, _, _ = select.select([wakeup], [], [], timeout)
    if ready:
        os.read(wakeup, 4096)


def describe(home: Home, constellation: Constellation, table: Iterable[Running]) -> dict[str, Any]:
    """What ``./dj status --json`` prints. The file is private, for the URLs hold passwords."""
    return {
        "pid": os.getpid(),
        "data": str(home.root),
        "gateway_url": constellation.gateway_url,
        "essentia_url": constellation.essentia_url,
        "ga_url": constellation.ga_url,
        "database_url": constellation.database_url,
        "redis_url": constellation.redis_url,
        "services": [
            {
                "name": each.service.name,
                "url": each.service.url,
                "health": each.health.value,
                "restarts": each.restarts,
                "pid": each.pid or None,
                "born": _born(each.pid),
            }
            for each in table
        ],
    }


def _born(pid: int) -> float | None:
    try:
        return float(psutil.Process(pid).create_time()) if pid else None
    except psutil.NoSuchProcess:
        return None


def end_what_was_left(home: Home, *, seconds: float = 15) -> None:
    """After a kill -9 of the supervisor its children are told to end; wait for that, then insist."""
    left = []
    for entry in home.read_state().get("services", []):
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(entry["pid"]) if entry.get("pid") else None
            # The number may belong to somebody else by now; the time of birth tells.
            if process is not None and entry["born"] == process.create_time():
                left.append(process)
    for process in left:
        _await_end(process, seconds)


def _await_end(process: psutil.Process, seconds: float) -> None:
    """A zombie is waited for too, a little: PostgreSQL takes one for a server that still runs."""
    deadline = time.monotonic() + seconds
    with suppress(psutil.NoSuchProcess):
        while process.is_running():
            late = (
                deadline if process.status() != psutil.STATUS_ZOMBIE else deadline - seconds + _REAP_SECONDS
            )
            if time.monotonic() > late:
                process.kill()
                return
            time.sleep(0.05)
