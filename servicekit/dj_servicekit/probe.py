"""``python -m dj_servicekit.probe``: a container's health check, for images that have no curl."""

import os
import sys
from http.client import HTTPConnection, HTTPException


def answers(port: int, *, timeout_seconds: float = 4) -> bool:
    """Whether the service of this machine says that it is alive."""
    connection = HTTPConnection("127.0.0.1", port, timeout=timeout_seconds)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if answers(int(os.environ["PORT"])) else 1)
