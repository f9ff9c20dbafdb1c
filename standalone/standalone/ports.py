"""Free and taken TCP ports on 127.0.0.1."""

import random
import socket

# Below 32768, where Linux takes the ports of outgoing connections from: one of those could be gone
# again between the question and the start of the server.
_FIRST, _LAST = 20_000, 32_000


def free_ports(count: int, *, besides: tuple[int, ...] = ()) -> list[int]:
    """Different ports that nobody listens on now."""
    found: list[int] = []
    while len(found) < count:
        port = random.randint(_FIRST, _LAST)  # noqa: S311 - nothing secret about a port
        if port not in (*found, *besides) and not is_taken(port):
            found.append(port)
    return found


def free_port_base(count: int) -> int:
    """The first of so many free ports in a row."""
    while True:
        base = free_ports(1)[0]
        if not any(is_taken(base + offset) for offset in range(1, count)):
            return base


def is_taken(port: int, host: str = "127.0.0.1") -> bool:
    try:
        # create_server sets SO_REUSEADDR, so connections of a server that is gone do not count.
        socket.create_server((host, port)).close()
    except OSError:
        return True
    return False
