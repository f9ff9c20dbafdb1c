"""What ``./dj doctor`` says of ports that are taken."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from standalone.doctor import _ports
from standalone.home import Home
from standalone.ports import free_port_base
from standalone.processes import StartError


@contextmanager
def answering(port: int, body: bytes) -> Iterator[None]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("127.0.0.1", port), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def test_our_own_services_are_recognised(tmp_path: Path) -> None:
    base = free_port_base(3)
    with ExitStack() as stack:
        for port, name in ((base, "gateway-api"), (base + 1, "essentia-api")):
            stack.enter_context(answering(port, b'{"status": "ok", "service": "%s"}' % name.encode()))
        said = _ports(Home(tmp_path), base)
    assert said.startswith(f"DJ Playlist runs here: {base} gateway-api, {base + 1} essentia-api;")


@pytest.mark.parametrize("body", [b"", b"[]", b'{"service": "another"}'])
def test_a_port_of_another_program_is_a_fault(tmp_path: Path, body: bytes) -> None:
    base = free_port_base(3)
    with answering(base + 1, body), pytest.raises(StartError, match=f"^{base + 1} taken; use"):
        _ports(Home(tmp_path), base)


def test_free_ports_are_fine(tmp_path: Path) -> None:
    base = free_port_base(3)
    assert _ports(Home(tmp_path), base) == f"{base} to {base + 2} are free"
