"""A gateway that is told to stop finishes what is under way, and takes nothing new."""

import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

# uvicorn ends by the signal itself once everything is put away.
STOPPED = (0, -signal.SIGTERM)
BOUNDARY = "b0undary"
HEAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="slow.mp3"\r\n'
    "Content-Type: audio/mpeg\r\n\r\n"
).encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()


def test_an_upload_under_way_at_the_stop_is_finished(
    gateway_process: Callable[[], Any], eventually_true: Callable[..., bool]
) -> None:
    half_is_sent, may_go_on = threading.Event(), threading.Event()

    def body() -> Iterator[bytes]:
        yield HEAD + b"\0first half "
        half_is_sent.set()
        may_go_on.wait(20)
        yield b"second half" + TAIL

    answers = []
    with gateway_process() as (process, http):

        def upload() -> None:
            content_type = f"multipart/form-data; boundary={BOUNDARY}"
            headers = {"Content-Type": content_type, "Connection": "close"}
            with httpx.Client(base_url=http.base_url, timeout=30) as own:
                answers.append(own.post("/api/upload", content=body(), headers=headers))

        uploading = threading.Thread(target=upload)
        uploading.start()
        assert half_is_sent.wait(10)
        process.send_signal(signal.SIGTERM)

        def refuses() -> bool:
            try:
                httpx.get(f"{http.base_url}/health", timeout=2)
            except httpx.TransportError:
                return True
            return False

        assert eventually_true(refuses)
        may_go_on.set()
        uploading.join(20)
        assert process.wait(20) in STOPPED
    assert [answer.status_code for answer in answers] == [201]


def test_a_stop_does_not_wait_for_those_who_only_listen(gateway_process: Callable[[], Any]) -> None:
    with gateway_process() as (process, http), http.stream("GET", "/api/jobs/events") as stream:
        assert next(stream.iter_lines()) is not None
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) in STOPPED


@pytest.fixture
def eventually_true() -> Callable[..., bool]:
    from standalone.testing import eventually

    return eventually
