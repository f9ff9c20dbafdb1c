"""The health check of the containers against a real socket."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from dj_servicekit.probe import answers


class _Health(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/health" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


class _Ill(_Health):
    status = 503


@pytest.fixture(params=[(_Health, True), (_Ill, False)], ids=["well", "ill"])
def served(request: pytest.FixtureRequest) -> Iterator[tuple[int, bool]]:
    handler, expected = request.param
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_port, expected
        server.shutdown()
        thread.join()


def test_a_service_is_well_when_it_says_so(served: tuple[int, bool]) -> None:
    port, expected = served
    assert answers(port) is expected


def test_nobody_there_is_not_well() -> None:
    with HTTPServer(("127.0.0.1", 0), _Health) as server:
        port = server.server_port
    assert not answers(port, timeout_seconds=1)
