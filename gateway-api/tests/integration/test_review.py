"""Doubtful finds wait for a person, who takes one or refuses it."""

from typing import Any

import pytest

FINDS = [
    {
        "url": "https://example.org/live",
        "title": "Strings of Life (Live)",
        "uploader": "a channel",
        "duration_seconds": 512.0,
        "score": 0.61,
        "reasons": ["says live", "71 s longer"],
    },
    {"url": "https://example.org/near", "title": "Strings of Life", "score": 0.85, "reasons": ["no length"]},
]


async def search_ends_in_doubt(gateway: Any, track_id: str = "1-A1", finds: Any = FINDS) -> dict[str, Any]:
    job = (await gateway.http.post(f"/api/tracks/{track_id}/download", json={"sources": ["yt-dlp"]})).json()
    claim = (await gateway.worker.post(f"/internal/jobs/{job['id']}/claim")).json()
    body = {
        "attempt": claim["attempt"],
        "code": "needs_review",
        "detail": "No find is surely this track.",
        "transient": False,
        "candidates": finds,
        "tried": [{"source": "gamdl", "code": "cookies_expired", "detail": "Export new ones."}],
    }
    answer = await gateway.worker.post(f"/internal/jobs/{job['id']}/fail", json=body)
    assert answer.status_code == 204, answer.text
    return dict(claim) | {"job": await gateway.get(f"/api/jobs/{job['id']}")}


@pytest.fixture
async def waiting(gateway: Any) -> list[dict[str, Any]]:
    await gateway.add_track(track_id="1-A1", artist="Rhythim Is Rhythim", duration_seconds=441)
    await search_ends_in_doubt(gateway)
    return list((await gateway.get("/api/review"))["results"])


async def test_finds_wait_with_their_scores_beside_the_track(gateway: Any, waiting: Any) -> None:
    assert [(one["url"][-4:], one["score"]) for one in waiting] == [("near", 0.85), ("live", 0.61)]
    assert waiting[1]["reasons"] == ["says live", "71 s longer"]
    assert (waiting[1]["track_artist"], waiting[1]["track_duration_seconds"]) == ("Rhythim Is Rhythim", 441)
    assert (await gateway.get("/api/review", track_id="other"))["total"] == 0


async def test_the_job_keeps_why_each_source_gave_nothing(gateway: Any) -> None:
    await gateway.add_track(track_id="1-A1")
    job = (await search_ends_in_doubt(gateway))["job"]
    assert (job["state"], job["error_code"]) == ("failed", "needs_review")
    assert [(one["source"], one["code"]) for one in job["tried"]] == [("gamdl", "cookies_expired")]


async def test_accepting_one_downloads_it_as_long_as_it_said(gateway: Any, waiting: Any) -> None:
    answer = await gateway.http.post(f"/api/review/{waiting[1]['id']}/accept")
    assert answer.status_code == 202, answer.text
    claim = (await gateway.worker.post(f"/internal/jobs/{answer.json()['id']}/claim")).json()
    assert claim["payload"] == {
        "kind": "download",
        "url": "https://example.org/live",
        "duration_seconds": 512.0,
    }
    again = await gateway.http.post(f"/api/review/{waiting[1]['id']}/accept")
    assert again.json()["id"] == answer.json()["id"]
    assert (await gateway.http.post(f"/api/review/{waiting[1]['id']}/reject")).status_code == 409


async def test_what_was_refused_is_never_offered_again(gateway: Any, waiting: Any) -> None:
    refused = await gateway.http.post(f"/api/review/{waiting[0]['id']}/reject")
    assert refused.json()["state"] == "rejected"
    claim = await search_ends_in_doubt(gateway)
    assert claim["wanted"]["rejected_urls"] == ["https://example.org/near"]
    assert [one["url"] for one in (await gateway.get("/api/review"))["results"]] == [
        "https://example.org/live"
    ]
    assert (await gateway.http.post(f"/api/review/{waiting[0]['id']}/accept")).status_code == 409


async def test_the_list_is_done_when_the_track_has_its_audio(gateway: Any, waiting: Any) -> None:
    accepted = (await gateway.http.post(f"/api/review/{waiting[0]['id']}/accept")).json()
    await gateway.worker.post(f"/internal/jobs/{accepted['id']}/claim")
    done = {"kind": "download", "audio_path": "dj/1-A1/a.mp3", "duration_seconds": 441, "source_url": "x"}
    body = {"attempt": 1, "outcome": done}
    await gateway.worker.post(f"/internal/jobs/{accepted['id']}/complete", json=body)
    assert (await gateway.get("/api/review"))["total"] == 0
    assert (await gateway.get("/api/review", state="accepted"))["total"] == 1


async def test_another_collection_neither_sees_nor_decides(gateway: Any, waiting: Any) -> None:
    await gateway.http.post("/api/friends", json={"username": "ana"})
    assert (await gateway.get("/api/review", username="ana"))["results"] == []
    path = f"/api/review/{waiting[0]['id']}/accept"
    assert (await gateway.http.post(path, params={"username": "ana"})).status_code == 404


async def test_what_is_not_there_cannot_be_decided(gateway: Any) -> None:
    assert (await gateway.http.post("/api/review/7/accept")).status_code == 404
    assert (await gateway.http.post("/api/review/7/reject")).status_code == 404
