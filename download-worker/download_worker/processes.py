"""Ending a program together with everything that it started."""

import contextlib
import os
import signal
import subprocess


def end_group(process: "subprocess.Popen[bytes]") -> None:
    """For a process that leads its own session, so that its group is only its own children."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout):
        if pipe:
            # What it had still to read went with it.
            with contextlib.suppress(OSError):
                pipe.close()
    process.wait()
