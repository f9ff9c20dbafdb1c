"""The line to our own services: kept, noticed when it has ended, and honest about how it failed."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import ClassVar

import pytest

from download_worker.line import Line, LineError, NotConnected, TooSlow
from download_worker.testing.server import Handler, QuietServer, serving


class Echo(Handler):
    """Says which path was asked with what; /slow waits, /broken ends without an answer."""

    gate = threading.Event()
    clients: ClassVar[set[object]] = set()

    def do_POST(self) -> None:  # noqa: N802 - the base class's name
        self.clients.add(self.client_address)
        body = self.body()
        if self.path.endswith("/slow"):
            self.gate.wait(10)
        if self.path.endswith("/broken"):
            self.close_connection = True
            return
        self.answer(200, {"path": self.path, "body": body.decode()}, {"Retry-After": "7"})


@pytest.fixture
def server() -> Iterator[QuietServer]:
    Echo.gate.clear()
    Echo.clients.clear()
    with serving(Echo) as running:
        yield running
        Echo.gate.set()


def ask(line: Line, path: str, seconds: float = 5) -> dict[str, str]:
    return dict(line.post(path, b"x", {"A": "b"}, timeout_seconds=seconds).json())


def test_one_connection_carries_all_questions_of_a_thread(server: QuietServer) -> None:
    def ask_and_close() -> None:
        ask(line, "/other")
        line.close()

    with closing(Line(f"{server.url}/below")) as line:
        asked = [ask(line, f"/{n}") for n in range(3)]
        assert asked == [{"path": f"/below/{n}", "body": "x"} for n in range(3)]
        assert len(Echo.clients) == 1
        other = threading.Thread(target=ask_and_close)
        other.start()
        other.join(10)
        assert len(Echo.clients) == 2


def test_a_connection_that_the_service_ended_is_made_anew(server: QuietServer) -> None:
    with closing(Line(server.url)) as line:
        ask(line, "/1")
        server.cut_connections()
        assert ask(line, "/2")["path"] == "/2"


def test_each_failure_is_told_from_the_others_and_the_line_goes_on(server: QuietServer) -> None:
    with closing(Line(server.url)) as line:
        with pytest.raises(TooSlow):
            ask(line, "/slow", seconds=0.2)
        with pytest.raises(LineError) as broken:
            ask(line, "/broken")
        assert not isinstance(broken.value, NotConnected | TooSlow)
        assert ask(line, "/after")["path"] == "/after"
        with pytest.raises(NotConnected):
            ask(Line("http://127.0.0.1:9"), "/x")


def test_a_service_that_breaks_off_the_handshake_is_asked_again() -> None:
    def hang_up() -> None:
        for _ in range(2):
            listening.accept()[0].close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        answering = threading.Thread(target=hang_up, daemon=True)
        answering.start()
        with closing(Line(f"https://127.0.0.1:{listening.getsockname()[1]}")) as line:
            for _ in range(2):
                with pytest.raises(NotConnected):
                    ask(line, "/x")
        answering.join(10)
