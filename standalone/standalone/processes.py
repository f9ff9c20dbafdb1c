"""Starting and stopping a child process so that it can neither be orphaned nor outlive its stop.

On Linux every child goes through ``setpriv --pdeathsig``: when the supervisor is killed with -9 the
kernel stops the children, so the next start finds free ports and unlocked data. The death signal is
tied to the thread that forked, so children are spawned from the main thread only.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

NOBODY = "nobody"


class StartError(Exception):
    """What stands in the way of starting, in a sentence that says what to do."""


@dataclass(frozen=True)
class Command:
    """How a child is run. ``unprivileged`` drops root, for a program that refuses to run as root."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    stop_signal: signal.Signals = signal.SIGTERM
    unprivileged: bool = False


def full_argv(command: Command) -> list[str]:
    if not sys.platform.startswith("linux"):
        return list(command.argv)
    prefix = [find_setpriv(), "--pdeathsig", command.stop_signal.name.removeprefix("SIG")]
    if command.unprivileged and os.geteuid() == 0:
        # The one capability lets the program reach its own files below folders that only root may
        # enter, such as /root; the folder it owns is its only place to write otherwise.
        prefix += [
            f"--reuid={NOBODY}",
            f"--regid={pwd.getpwnam(NOBODY).pw_gid}",
            "--clear-groups",
            "--inh-caps=+dac_override",
            "--ambient-caps=+dac_override",
        ]
    return [*prefix, "--", *command.argv]


def find_setpriv() -> str:
    if found := shutil.which("setpriv", path=f"{os.environ.get('PATH', '')}:/usr/bin:/bin:/sbin:/usr/sbin"):
        return found
    raise StartError("The program setpriv is missing. Install the package util-linux.")


def spawn(command: Command, log: Path) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own: Ctrl-C in the terminal reaches the supervisor alone."""
    with log.open("ab") as out:
        return subprocess.Popen(
            full_argv(command),
            cwd=command.cwd,
            env={**os.environ, **command.env},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def stop(child: subprocess.Popen[bytes], stop_signal: signal.Signals, grace_seconds: float = 15) -> None:
    """Ask, wait, and then insist; what the child itself left behind goes with it."""
    if child.poll() is None:
        child.send_signal(stop_signal)
        with suppress(subprocess.TimeoutExpired):
            child.wait(grace_seconds)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def give_to_nobody(path: Path) -> None:
    """Hand a folder to the user that an unprivileged child runs as; only root has to."""
    if os.geteuid() == 0:
        user = pwd.getpwnam(NOBODY)
        os.chown(path, user.pw_uid, user.pw_gid)
