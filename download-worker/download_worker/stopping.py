"""How a work horse learns that its worker wants to end, so that it stops waiting for others.

One byte of memory that both see after the fork. A signal could arrive before the work horse listens.
"""

import mmap

_flag = mmap.mmap(-1, 1)


def request_stop() -> None:
    _flag[0] = 1


def stop_requested() -> bool:
    return _flag[0] == 1
