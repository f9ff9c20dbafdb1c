"""Runs a program that cannot be told to end with us: when stdin closes, it and all it started are killed.

stdin closes however the work horse ends, also by -9. Called with the largest file that the program may
write, in bytes, and its words; answers its exit status.
"""

import os
import resource
import signal
import subprocess
import sys
import threading


def main(words: list[str]) -> int:
    limit = int(words[0])
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    # In our own session, so that one signal to the group reaches whatever it starts.
    program = subprocess.Popen(words[1:], stdin=subprocess.DEVNULL, close_fds=False)
    threading.Thread(target=_kill_all_when_left_alone, daemon=True).start()
    return program.wait()


def _kill_all_when_left_alone() -> None:
    os.read(0, 1)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    status = main(sys.argv[1:])
    # A program that was ended by a signal has no status of its own.
    os._exit(status if status >= 0 else 128 - status)
