"""Free and taken TCP ports on 127.0.0.1."""

import socket


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, held together while they are picked so that none is twice."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [int(each.getsockname()[1]) for each in held]
    finally:
        for each in held:
            each.close()


def is_taken(port: int, host: str = "127.0.0.1") -> bool:
    try:
        # create_server sets SO_REUSEADDR, so connections of a server that is gone do not count.
        socket.create_server((host, port)).close()
    except OSError:
        return True
    return False
