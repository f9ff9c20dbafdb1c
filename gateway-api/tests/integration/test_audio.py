"""Uploads and streams."""

import email
import logging
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from email.message import Message
from typing import Any

import httpx
import pytest

from gateway_api.main import create_app
from standalone.testing import eventually

CONTENT = bytes(range(256)) * 40


@pytest.fixture
async def track(gateway: Any) -> dict[str, Any]:
    answer = await gateway.http.post("/api/upload", files={"file": ("Ana - Sun.mp3", CONTENT)})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_an_upload_is_a_track_with_audio_and_a_waiting_analysis(
    gateway: Any, track: dict[str, Any]
) -> None:
    assert (track["artist"], track["title"], track["has_audio"]) == ("Ana", "Sun", True)
    jobs = (await gateway.get("/api/jobs"))["jobs"]
    assert [(job["name"], job["state"], job["track_id"]) for job in jobs] == [
        ("analyze", "waiting", track["track_id"])
    ]


async def test_the_same_upload_again_is_the_same_track(gateway: Any, track: dict[str, Any]) -> None:
    answer = await gateway.http.post("/api/upload", files={"file": ("Ana - Sun.mp3", CONTENT)})
    assert (answer.status_code, answer.json()["track_id"]) == (200, track["track_id"])


@pytest.mark.parametrize(
    ("asked", "status", "content"),
    [
        (None, 200, CONTENT),
        ("bytes=0-9", 206, CONTENT[:10]),
        ("bytes=10-", 206, CONTENT[10:]),
        ("bytes=-500", 206, CONTENT[-500:]),
        ("bytes=5-5", 206, CONTENT[5:6]),
        ("bytes=0-999999", 206, CONTENT),
        ("bytes=999999-", 416, None),
    ],
)
async def test_ranges(
    gateway: Any, track: dict[str, Any], asked: str | None, status: int, content: bytes | None
) -> None:
    headers = {"Range": asked} if asked else {}
    for path in (
        f"/api/tracks/{track['track_id']}/audio",
        f"/api/audio?filename={track['local_audio_url']}",
    ):
        answer = await gateway.http.get(path, headers=headers)
        assert answer.status_code == status
        assert content is None or answer.content == content


async def test_head_tells_the_size_without_the_file(gateway: Any, track: dict[str, Any]) -> None:
    answer = await gateway.http.head(f"/api/tracks/{track['track_id']}/audio")
    assert (answer.status_code, answer.headers["content-length"], answer.content) == (
        200,
        str(len(CONTENT)),
        b"",
    )


@pytest.mark.parametrize("name", ["../../../etc/passwd", "/etc/passwd", ".incoming/x.mp3", "\x00"])
async def test_no_file_that_is_not_a_tracks_is_served(gateway: Any, track: dict[str, Any], name: str) -> None:
    answer = await gateway.http.get("/api/audio", params={"filename": name})
    assert (answer.status_code, answer.json()["code"]) == (404, "file_missing")


async def test_a_file_that_is_gone_says_what_to_do(gateway: Any, track: dict[str, Any]) -> None:
    (gateway.services.audio.managed / track["local_audio_url"]).unlink()
    answer = await gateway.http.get(f"/api/tracks/{track['track_id']}/audio")
    assert answer.status_code == 404
    assert "Put it back and scan again" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("notes.txt", b"x", 415),
        ("noname", b"x", 415),
        ("empty.mp3", b"", 422),
        ("page.mp3", b"<!doctype html><title>Not found</title>\r\n", 415),
        ("long.wav", b"x" + "é".encode() * 600_000, 415),  # a letter stands across the end of the megabyte
    ],
)
async def test_what_is_plainly_no_audio_is_refused(
    gateway: Any, name: str, content: bytes, status: int
) -> None:
    answer = await gateway.http.post("/api/upload", files={"file": (name, content)})
    assert answer.status_code == status
    assert not list((gateway.services.audio.managed / ".incoming").glob("*"))


async def test_a_hostile_name_stays_below_the_audio_folder(gateway: Any) -> None:
    answer = await gateway.http.post("/api/upload", files={"file": ("../../../../tmp/x.mp3", b"\0abc")})
    path = gateway.services.audio.locate(answer.json()["local_audio_url"])
    assert path.is_relative_to(gateway.services.audio.managed)


def stream_path(track: dict[str, Any]) -> str:
    return f"/api/tracks/{track['track_id']}/audio"


def parts_of(answer: httpx.Response) -> list[tuple[str, bytes]]:
    """(Content-Range, bytes) of each part, read as a mail program would."""
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + answer.content)
    parts: list[Message] = message.get_payload()  # type: ignore[assignment]
    return [(part["Content-Range"], part.get_payload(decode=True)) for part in parts]  # type: ignore[misc]


async def test_many_ranges_come_in_one_answer(gateway: Any, track: dict[str, Any]) -> None:
    answer = await gateway.http.get(stream_path(track), headers={"Range": "bytes=0-9,100-199,-5,20000-"})
    assert answer.status_code == 206
    assert answer.headers["content-type"].startswith("multipart/byteranges; boundary=")
    size = len(CONTENT)
    assert parts_of(answer) == [
        (f"bytes 0-9/{size}", CONTENT[:10]),
        (f"bytes 100-199/{size}", CONTENT[100:200]),
        (f"bytes {size - 5}-{size - 1}/{size}", CONTENT[-5:]),
    ]
    assert int(answer.headers["content-length"]) == len(answer.content)


async def test_a_range_beyond_the_end_says_how_long_the_file_is(gateway: Any, track: dict[str, Any]) -> None:
    answer = await gateway.http.get(stream_path(track), headers={"Range": "bytes=999999-"})
    assert (answer.status_code, answer.json()["code"]) == (416, "range_not_satisfiable")
    assert answer.headers["content-range"] == f"bytes */{len(CONTENT)}"


@pytest.mark.parametrize("asked", ["bytes=5-1", "bytes=x", "seconds=0-1"])
async def test_a_range_that_makes_no_sense_is_passed_over(
    gateway: Any, track: dict[str, Any], asked: str
) -> None:
    answer = await gateway.http.get(stream_path(track), headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, CONTENT)


async def test_a_version_is_known_by_its_tag(gateway: Any, track: dict[str, Any]) -> None:
    path = stream_path(track)
    first = await gateway.http.get(path)
    etag = first.headers["etag"]
    assert first.headers["content-type"] == "audio/mpeg"
    assert first.headers["accept-ranges"] == "bytes"
    again = await gateway.http.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    since = {"If-Modified-Since": first.headers["last-modified"]}
    assert (await gateway.http.get(path, headers=since)).status_code == 304
    part = {"Range": "bytes=0-4", "If-Range": etag}
    assert (await gateway.http.get(path, headers=part)).status_code == 206
    file = gateway.services.audio.managed / track["local_audio_url"]
    file.write_bytes(CONTENT[::-1])
    os.utime(file, (1_900_000_000, 1_900_000_000))
    whole = await gateway.http.get(path, headers=part)
    assert (whole.status_code, whole.content) == (200, CONTENT[::-1])
    assert whole.headers["etag"] != etag
    refused = await gateway.http.get(path, headers={"If-Match": etag})
    assert (refused.status_code, refused.json()["code"]) == (412, "precondition_failed")


async def test_only_a_url_that_names_the_version_is_kept_for_ever(
    gateway: Any, track: dict[str, Any]
) -> None:
    path = stream_path(track)
    plain = await gateway.http.get(path)
    assert plain.headers["cache-control"] == "private, no-cache"
    for version, kept in ((plain.headers["etag"].strip('"'), True), ("other", False)):
        answer = await gateway.http.get(path, params={"v": version})
        assert ("immutable" in answer.headers["cache-control"]) is kept


async def test_a_file_that_is_the_body_itself(gateway: Any, track: dict[str, Any]) -> None:
    answer = await gateway.http.put("/api/upload/Ana - Moon.flac", content=CONTENT[:-1])
    assert answer.status_code == 201, answer.text
    assert (answer.json()["artist"], answer.json()["title"]) == ("Ana", "Moon")
    same = await gateway.http.put("/api/upload/Ana - Sun.mp3", content=CONTENT)
    assert (same.status_code, same.json()["track_id"]) == (200, track["track_id"])


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"", "multipart/form-data; boundary=x"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"--x--\r\n", "multipart/form-data"),
        (b"{}", "application/json"),
        (
            b'--x\r\nContent-Disposition: form-data; name="other"\r\n\r\nhello\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
    ],
)
async def test_a_form_without_a_file_says_how_to_send_one(
    gateway: Any, content: bytes, content_type: str
) -> None:
    answer = await gateway.http.post("/api/upload", content=content, headers={"Content-Type": content_type})
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed"), answer.text


def test_an_upload_that_breaks_off_leaves_nothing(
    make_settings: Callable[..., Any], serve_app: Callable[..., Any]
) -> None:
    settings = make_settings()
    incoming = settings.audio_dir / ".incoming"
    begun = threading.Event()

    def body() -> Iterator[bytes]:
        yield b"\0" * 3_000_000
        begun.wait(10)
        raise RuntimeError("the cable was pulled")

    def pull() -> None:
        with suppress(RuntimeError):
            httpx.put(f"{url}/api/upload/a.mp3", content=body(), timeout=20)

    with serve_app(create_app(settings)) as url:
        pulling = threading.Thread(target=pull)
        pulling.start()
        assert eventually(lambda: any(path.stat().st_size for path in incoming.glob("*/upload")))
        begun.set()
        assert eventually(lambda: not list(incoming.iterdir()))
        pulling.join()
        assert httpx.get(f"{url}/api/tracks").json()["tracks"] == []


@pytest.mark.parametrize("asked", [None, "bytes=1000000-4999999", "bytes=0-99,4000000-4000099"])
def test_a_real_server_sends_the_same_from_the_kernel(
    make_settings: Callable[..., Any], serve_app: Callable[..., Any], asked: str | None
) -> None:
    content = os.urandom(6_000_000)
    with serve_app(create_app(make_settings())) as url, httpx.Client(base_url=url, timeout=20) as http:
        track = http.put("/api/upload/big.wav", content=content).json()
        headers = {"Range": asked} if asked else {}
        for _ in range(2):  # the second on the same connection
            answer = http.get(stream_path(track), headers=headers)
            if asked is None:
                assert answer.content == content
            elif "," in asked:
                assert [part for _, part in parts_of(answer)] == [content[:100], content[4000000:4000100]]
            else:
                assert answer.content == content[1000000:5000000]
        # A client that leaves in the middle takes nobody with it.
        with http.stream("GET", stream_path(track)) as stream:
            next(stream.iter_raw())
        assert http.get("/health").status_code == 200


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("http", ["h11", "httptools"])
def test_clients_that_leave_before_the_first_byte_are_no_fault_of_ours(
    make_settings: Callable[..., Any],
    serve_app: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
    http: str,
    loop: str,
) -> None:
    with serve_app(create_app(make_settings()), http, loop) as url:
        track = httpx.put(f"{url}/api/upload/big.wav", content=os.urandom(6_000_000)).json()
        host, port = url.removeprefix("http://").split(":")
        for asked in ("bytes=0-", "bytes=0-99,4000000-4000099") * 10:
            with socket.create_connection((host, int(port))) as leaving:
                # Closing it so resets the connection, which is how players skip.
                leaving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                leaving.sendall(
                    f"GET {stream_path(track)} HTTP/1.1\r\nHost: {host}\r\nRange: {asked}\r\n\r\n".encode()
                )
        assert httpx.get(f"{url}/health").status_code == 200
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_a_file_that_shrinks_under_way_breaks_the_connection(
    make_settings: Callable[..., Any], serve_app: Callable[..., Any]
) -> None:
    settings = make_settings()
    with serve_app(create_app(settings)) as url, httpx.Client(base_url=url, timeout=20) as http:
        track = http.put("/api/upload/big.wav", content=bytes(50_000_000)).json()
        with http.stream("GET", stream_path(track)) as stream:
            pieces = stream.iter_raw()
            next(pieces)
            (settings.audio_dir / track["local_audio_url"]).write_bytes(b"short")
            with pytest.raises(httpx.TransportError):
                for _ in pieces:
                    pass
