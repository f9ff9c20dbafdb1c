"""Covers and waveforms over HTTP: found, cut, cached, and told apart when they are not there."""

import base64
import io
import json
from typing import Any

import psycopg
import pytest
from PIL import Image


@pytest.fixture
async def track_id(gateway: Any, database_url: str) -> str:
    track = await gateway.add_track()
    overview = bytes([255, 128, 0] * 1000)
    detail = bytes([10, 20, 30] * 20 * 60 + [255, 0, 0] * 20 * 60)
    waveform = {
        "points": 1000,
        "overview": base64.b64encode(overview).decode(),
        "detail_per_second": 20,
        "detail": base64.b64encode(detail).decode(),
    }
    result = {"engine_version": "1", "duration_seconds": 120.0, "waveform": waveform}
    with psycopg.connect(database_url) as conn:
        conn.execute(
            """
            insert into track_analysis (username, track_id, engine_version, result)
            values ('dj', %s, '1', %s)
            """,
            [track["track_id"], json.dumps(result)],
        )
    return str(track["track_id"])


async def test_a_waveform_is_cut_to_what_is_drawn(gateway: Any, track_id: str) -> None:
    whole = await gateway.get(f"/api/tracks/{track_id}/waveform", points=100)
    assert (whole["start"], whole["end"], len(whole["bass"])) == (0, 120, 100)
    assert (set(whole["bass"]), set(whole["middle"]), set(whole["treble"])) == ({255}, {128}, {0})
    part = await gateway.get(f"/api/tracks/{track_id}/waveform", start=50, end=70, points=4)
    assert part["bass"] == [10, 10, 255, 255]


async def test_a_waveform_is_a_picture_that_is_fetched_once(gateway: Any, track_id: str) -> None:
    path = f"/api/tracks/{track_id}/waveform.png"
    answer = await gateway.http.get(path, params={"width": 300, "height": 50})
    assert answer.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert picture.size == (300, 50)
    known = {"If-None-Match": answer.headers["etag"]}
    again = await gateway.http.get(path, params={"width": 300, "height": 50}, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    other = await gateway.http.get(path, params={"width": 301, "height": 50}, headers=known)
    assert other.status_code == 200


async def test_a_track_without_analysis_says_how_to_get_a_waveform(gateway: Any) -> None:
    track = await gateway.add_track()
    for name in ("waveform", "waveform.png"):
        answer = await gateway.http.get(f"/api/tracks/{track['track_id']}/{name}")
        assert answer.status_code == 404
        assert "analyze" in answer.json()["detail"]
    assert (await gateway.http.get("/api/tracks/none/waveform")).status_code == 404


async def test_a_cover_comes_in_sizes(gateway: Any, track_id: str, database_url: str) -> None:
    path = f"/api/tracks/{track_id}/cover"
    missing = await gateway.http.get(path)
    assert (missing.status_code, missing.json()["code"]) == (404, "file_missing")
    file = gateway.services.audio.managed / "dj" / "cover.png"
    file.parent.mkdir(parents=True)
    Image.new("RGB", (800, 400), "#204060").save(file)
    with psycopg.connect(database_url) as conn:
        conn.execute("update tracks set cover_path = 'dj/cover.png' where track_id = %s", [track_id])
    tags = set()
    for size, wanted in ((64, (64, 32)), (512, (512, 256)), (1024, (800, 400))):
        for _ in range(2):
            answer = await gateway.http.get(path, params={"size": size})
            assert answer.headers["content-type"] == "image/jpeg"
            with Image.open(io.BytesIO(answer.content)) as picture:
                assert picture.size == wanted
            tags.add(answer.headers["etag"])
    assert len(tags) == 3
    known = await gateway.http.get(path, headers={"If-None-Match": ", ".join(tags)})
    assert known.status_code == 304
    assert (await gateway.http.get(path, params={"size": 65})).status_code == 422
    Image.new("RGB", (90, 90), "#ffffff").save(file)
    with Image.open(io.BytesIO((await gateway.http.get(path)).content)) as picture:
        assert picture.size == (90, 90)


async def test_a_cover_outside_of_the_folders_is_not_served(
    gateway: Any, track_id: str, database_url: str
) -> None:
    with psycopg.connect(database_url) as conn:
        conn.execute("update tracks set cover_path = '/etc/passwd' where track_id = %s", [track_id])
    assert (await gateway.http.get(f"/api/tracks/{track_id}/cover")).status_code == 403
