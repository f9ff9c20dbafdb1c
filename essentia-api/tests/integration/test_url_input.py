"""Audio named by URL: which servers are asked, and what becomes of slow, large, broken and sly answers."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from essentia_api.main import create_app
from essentia_api.settings import Settings
from essentia_api.testing import Write, house_loop, serving

TOKEN = "a token of the gateway"


@dataclass
class Web:
    """A server of this machine, that answers as the test says and remembers what it was shown."""

    port: int
    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    seen: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture
def webs() -> Iterator[tuple[Web, Web]]:
    """The gateway, and a neighbour on another port that nobody allowed."""
    servers, found = [], []
    for _ in range(2):
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler())
        server.daemon_threads = True
        web = Web(server.server_address[1])
        server.web = web  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        found.append(web)
    yield found[0], found[1]
    for server, web in zip(servers, found, strict=True):
        web.hold.set()
        server.shutdown()
        server.server_close()


def _handler() -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            web: Web = self.server.web  # type: ignore[attr-defined]
            web.seen.append((self.path, self.headers["Host"], self.headers["Authorization"]))
            if self.path in web.redirects:
                self.send_response(302)
                self.send_header("Location", web.redirects[self.path])
                self.end_headers()
            elif self.path == "/endless":
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"x" * 1000)
                web.hold.wait(30)
            elif self.path == "/trickles":
                self.send_response(200)
                self.end_headers()
                while not web.hold.wait(0.1):
                    self.wfile.write(b"x")
            elif self.path == "/drips":
                self.wfile.write(b"HTTP/1.0 200 OK\r\n")
                while not web.hold.wait(0.2):
                    self.wfile.write(b"X: y\r\n")
            elif self.path == "/breaks-off":
                self.send_response(200)
                self.send_header("Content-Length", "100000")
                self.end_headers()
                self.wfile.write(b"x" * 1000)
            elif self.path in web.files:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(web.files[self.path])
            else:
                self.send_response(404 if self.path != "/fault" else 500)
                self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Be quiet."""

    return Handler


@pytest.fixture
def client(webs: tuple[Web, Web], tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    settings = Settings(
        audio_dir=tmp_path, gateway_url=webs[0].url, api_token=TOKEN, analysis_workers=1,
        max_file_bytes=2_000_000, **({"fetch_timeout_seconds": 1} | getattr(request, "param", {})),
    )  # fmt: skip
    with serving(create_app(settings)) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def outcome(client: httpx.Client, url: str) -> tuple[int, str]:
    answer = client.post("/analyze", json={"filename": url})
    return answer.status_code, answer.json()["code"]


def test_a_url_of_the_gateway_is_measured(client: httpx.Client, webs: tuple[Web, Web], write: Write) -> None:
    gateway, _ = webs
    name = "/api/audio?filename=a%20%26%20b.mp3"
    gateway.files[name] = write("a.mp3", house_loop(seconds=12)).read_bytes()
    gateway.redirects["/moved"] = name
    for path in (name, "/moved"):
        answer = client.post("/analyze", json={"filename": gateway.url + path})
        assert answer.status_code == 200
        assert answer.json()["key"]["name"] == "A minor"
    host = f"127.0.0.1:{gateway.port}"
    assert set(gateway.seen) == {(path, host, f"Bearer {TOKEN}") for path in (name, "/moved")}


def test_no_other_server_is_asked(client: httpx.Client, webs: tuple[Web, Web]) -> None:
    gateway, neighbour = webs
    neighbour.files["/a.mp3"] = b"x"
    gateway.redirects["/sly"] = f"{neighbour.url}/a.mp3"
    gateway.redirects["/file"] = "file:///etc/passwd"
    gateway.redirects["/round"] = "/round"
    for url in (
        f"{neighbour.url}/a.mp3",
        f"{gateway.url}/sly",
        f"http://localhost:{gateway.port}/a.mp3",
        f"http://[::1]:{neighbour.port}/a.mp3",
        f"http://2130706433:{neighbour.port}/a.mp3",
        "http://169.254.169.254/latest/meta-data/",
    ):
        assert outcome(client, url) == (403, "source_forbidden"), url
    assert outcome(client, f"{gateway.url}/file") == (422, "malformed")
    assert outcome(client, f"{gateway.url}/round") == (502, "upstream_failed")
    assert neighbour.seen == []


@pytest.mark.parametrize("client", [{"allow_url_hosts": "*"}], indirect=True)
def test_where_every_host_is_allowed_private_addresses_are_not(
    client: httpx.Client, webs: tuple[Web, Web]
) -> None:
    gateway, neighbour = webs
    gateway.redirects["/sly"] = f"{neighbour.url}/a.mp3"
    for url in (
        f"{neighbour.url}/a.mp3",
        f"{gateway.url}/sly",
        f"http://localhost:{neighbour.port}/a.mp3",
        f"http://[::ffff:127.0.0.1]:{neighbour.port}/a.mp3",
        f"http://0x7f.1:{neighbour.port}/a.mp3",
    ):
        assert outcome(client, url) == (403, "source_forbidden"), url
    assert neighbour.seen == []


@pytest.mark.parametrize("client", [{"allow_url_hosts": "nas.local:8080, localhost"}], indirect=True)
def test_a_host_that_is_named_may_be_private_and_is_not_shown_the_token(
    client: httpx.Client, webs: tuple[Web, Web], write: Write
) -> None:
    gateway, neighbour = webs
    neighbour.files["/a.mp3"] = write("a.mp3", house_loop(seconds=6)).read_bytes()
    gateway.redirects["/there"] = f"http://localhost:{neighbour.port}/a.mp3"
    answer = client.post("/analyze", json={"filename": f"{gateway.url}/there"})
    assert answer.status_code == 200
    assert neighbour.seen == [("/a.mp3", f"localhost:{neighbour.port}", None)]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/gone.mp3", (404, "file_missing")),
        ("/fault", (502, "upstream_failed")),
        ("/breaks-off", (502, "upstream_failed")),
        ("/endless", (504, "upstream_timeout")),
        ("/drips", (504, "upstream_timeout")),
        ("/empty", (422, "file_empty")),
        ("/page", (415, "not_audio")),
        ("/large", (413, "too_large")),
    ],
)
def test_each_limit_and_fault_has_its_own_error(
    client: httpx.Client, webs: tuple[Web, Web], path: str, expected: tuple[int, str]
) -> None:
    gateway, _ = webs
    gateway.files |= {"/empty": b"", "/page": b"<html>Sign in</html>" * 50, "/large": bytes(2_000_001)}
    assert outcome(client, gateway.url + path) == expected


@pytest.mark.parametrize("client", [{"fetch_timeout_seconds": 20}], indirect=True)
def test_what_nobody_waits_for_is_not_fetched_to_its_end(client: httpx.Client, webs: tuple[Web, Web]) -> None:
    gateway, _ = webs
    with pytest.raises(httpx.ReadTimeout):
        client.post("/analyze", json={"filename": f"{gateway.url}/trickles"}, timeout=0.3)
    deadline = time.monotonic() + 10
    while 'outcome="cancelled"} 1.0' not in client.get("/metrics").text:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("client", [{"allow_url_hosts": "localhost:1,nobody.invalid"}], indirect=True)
@pytest.mark.parametrize("url", ["http://localhost:1/a.mp3", "http://nobody.invalid/a.mp3"])
def test_a_server_that_is_away_can_be_asked_again(client: httpx.Client, url: str) -> None:
    assert outcome(client, url) == (503, "upstream_unavailable")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://gateway/a.mp3", "http://", "http://gateway:port/a", "http://dj:word@gateway:8000/a.mp3",
        "http://xn--a/a.mp3",
    ],
)  # fmt: skip
def test_a_link_that_is_none_is_malformed(client: httpx.Client, url: str) -> None:
    assert outcome(client, url) == (422, "malformed")
