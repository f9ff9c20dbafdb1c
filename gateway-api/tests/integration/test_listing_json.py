"""Tracks that are read are JSON that Postgres writes; it must say what the gateway says of the same track."""

from typing import Any

import psycopg
import pytest


@pytest.mark.parametrize("seconds", [None, 0, 59.5, 61.2, 185, 599.5, 3599.4, 3599.6, 3661, 36_000])
async def test_a_track_is_shown_alike_alone_in_a_listing_and_after_an_edit(
    gateway: Any, database_url: str, seconds: float | None
) -> None:
    track = await gateway.add_track(
        title='"Größe" \\ 夜 \n🔥',
        artist="",
        genres=["House", 'He said "no"'],
        bpm=123.456789,
        key="F# major",
        mood_sad=0.1,
        star_rating=3,
        duration_seconds=seconds,
        youtube_url="https://example.com/?a=b&c=%d",
    )
    with psycopg.connect(database_url) as conn:
        conn.execute("update tracks set audio_path = 'dj/a.mp3', analyzed_at = '2026-01-02 03:04:05.6+02'")
    alone = await gateway.get(f"/api/tracks/{track['track_id']}")
    (listed,) = (await gateway.get("/api/tracks"))["tracks"]
    assert list(listed.items()) == list(alone.items())
    answer = await gateway.http.patch(f"/api/tracks/{track['track_id']}", json={"title": alone["title"]})
    edited = answer.json()
    assert list((alone | {"updated_at": edited["updated_at"]}).items()) == list(edited.items())
