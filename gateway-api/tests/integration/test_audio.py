"""Uploads and streams."""

from typing import Any

import pytest

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
    [("notes.txt", b"x", 415), ("noname", b"x", 415), ("empty.mp3", b"", 422)],
)
async def test_what_is_no_audio_by_its_name_is_refused(
    gateway: Any, name: str, content: bytes, status: int
) -> None:
    answer = await gateway.http.post("/api/upload", files={"file": (name, content)})
    assert answer.status_code == status
    assert not list((gateway.services.audio.managed / ".incoming").glob("*"))


async def test_a_hostile_name_stays_below_the_audio_folder(gateway: Any) -> None:
    answer = await gateway.http.post("/api/upload", files={"file": ("../../../../tmp/x.mp3", b"abc")})
    path = gateway.services.audio.locate(answer.json()["local_audio_url"])
    assert path.is_relative_to(gateway.services.audio.managed)
