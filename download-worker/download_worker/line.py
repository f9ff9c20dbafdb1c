"""A line to one of our own services that is kept open, and light for a work horse that was just forked.

httpx touches so much memory with its first request that a fresh process copies for 5 ms; the client of
the standard library does with a fifth of that. httpx is for what is asked seldom.
"""

import json
import select
import threading
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from download_worker.http_client import tls_context

_CONNECT_SECONDS = 3


class LineError(Exception):
    """The service did not answer: NotConnected, TooSlow, or it broke off."""


class NotConnected(LineError):
    """Nothing was sent."""


class TooSlow(LineError):
    pass


@dataclass(frozen=True)
class Answer:
    status: int
    content: bytes
    retry_after: str

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        return json.loads(self.content)


class Line:
    """Each thread has a connection of its own, so none waits for another's answer."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._own = threading.local()

    def post(self, path: str, body: bytes, headers: dict[str, str], *, timeout_seconds: float) -> Answer:
        connection = self._connected()
        if connection.sock is not None:
            connection.sock.settimeout(timeout_seconds)
        try:
            connection.request("POST", f"{self._url.path}{path}", body, headers)
            with connection.getresponse() as answer:
                return Answer(answer.status, answer.read(), answer.headers.get("Retry-After", ""))
        except (OSError, HTTPException) as exc:
            connection.close()
            kind = TooSlow if isinstance(exc, TimeoutError) else LineError
            raise kind(repr(exc)) from exc

    def close(self) -> None:
        """The connection of this thread. The others end with their threads."""
        if kept := getattr(self._own, "connection", None):
            kept.close()

    def _connected(self) -> HTTPConnection:
        kept: HTTPConnection | None = getattr(self._own, "connection", None)
        if kept is not None and kept.sock is not None:
            # Nothing is due from there, so what can be read is its end.
            if not select.select([kept.sock], [], [], 0)[0]:
                return kept
            kept.close()
        self._own.connection = connection = self._new()
        try:
            connection.connect()
        except OSError as exc:
            # A handshake that failed leaves a socket behind that is none any more.
            connection.close()
            raise NotConnected(repr(exc)) from exc
        return connection

    def _new(self) -> HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme == "https":
            return HTTPSConnection(host, port, timeout=_CONNECT_SECONDS, context=tls_context())
        return HTTPConnection(host, port, timeout=_CONNECT_SECONDS)
