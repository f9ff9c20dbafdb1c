"""Metrics, limits, compression, other sites' pages, and the page of the API."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from gateway_api.main import create_app


async def metrics(gateway: Any) -> dict[str, float]:
    text = (await gateway.http.get("/metrics")).text
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


async def test_requests_are_counted_by_the_template_of_their_route(gateway: Any) -> None:
    track = await gateway.add_track()
    for track_id in (track["track_id"], "no-such", "nor-this"):
        await gateway.http.get(f"/api/tracks/{track_id}")
    for path in ("/wp-login.php", "/.env"):
        await gateway.http.get(path)
    found = await metrics(gateway)
    requests = "dj_http_requests_total"
    template = 'method="GET",route="/api/tracks/{track_id}"'
    assert found[f'{requests}{{{template},status="200"}}'] == 1
    assert found[f'{requests}{{{template},status="404"}}'] == 2
    assert found[f'{requests}{{method="any",route="none",status="404"}}'] == 2
    assert found[f"dj_http_request_seconds_count{{{template}}}"] == 3
    assert not [name for name in found if track["track_id"] in name or "wp-login" in name]


async def test_the_queue_and_the_pool_are_in_the_metrics(gateway: Any) -> None:
    await gateway.http.post("/api/upload", files={"file": ("a.mp3", b"\0sound")})
    found = await metrics(gateway)
    assert found['dj_jobs{kind="analyze",state="waiting"}'] == 1
    assert found["dj_jobs_oldest_waiting_seconds"] >= 0
    assert found["dj_text_embeddings_waiting"] >= 0
    assert found["dj_search_outbox_entries"] == found["dj_search_outbox_lag_seconds"] == 0
    assert found["dj_database_up"] == 1
    assert found["dj_database_pool_size"] >= 2


async def test_metrics_need_the_token_where_there_is_one(
    make_settings: Callable[..., Any], running_gateway: Callable[..., Any]
) -> None:
    async with running_gateway(make_settings(api_token=SecretStr("a-token-for-the-api"))) as gateway:
        assert (await gateway.http.get("/metrics")).status_code == 401


async def test_a_long_answer_is_compressed_and_audio_is_not(gateway: Any) -> None:
    for number in range(10):
        await gateway.add_track(title=f"Track {number}")
    accepts = {"Accept-Encoding": "gzip"}
    answer = await gateway.http.get("/api/tracks", headers=accepts)
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.json()["tracks"]) == 10
    sound = b"\0sound" * 1000
    track = await gateway.http.post("/api/upload", files={"file": ("a.mp3", sound)})
    audio = await gateway.http.get(f"/api/tracks/{track.json()['track_id']}/audio", headers=accepts)
    assert "content-encoding" not in audio.headers
    assert audio.content == sound


@pytest.mark.parametrize("allowed", [False, True])
async def test_a_page_of_another_site_comes_in_only_when_it_is_named(
    make_settings: Callable[..., Any], running_gateway: Callable[..., Any], allowed: bool
) -> None:
    origin = "https://crate.example"
    async with running_gateway(make_settings(cors_origins=(origin,) if allowed else ())) as gateway:
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        before = await gateway.http.options("/api/tracks", headers=asked)
        assert ("access-control-allow-origin" in before.headers) is allowed
        read = await gateway.http.get("/api/tracks", headers={"Origin": origin})
        assert ("access-control-allow-origin" in read.headers) is allowed
        written = await gateway.http.post("/api/tracks", json={"title": "x"}, headers={"Origin": origin})
        assert written.status_code == (201 if allowed else 403)
        other = await gateway.http.post(
            "/api/tracks", json={"title": "x"}, headers={"Origin": "https://evil.example"}
        )
        assert other.status_code == 403
        assert "access-control-allow-origin" not in other.headers


async def test_a_client_that_asks_too_often_waits_and_this_machine_does_not(
    make_settings: Callable[..., Any],
) -> None:
    app = create_app(make_settings(rate_limit_per_second=0.1, trust_network=True))
    async with app.router.lifespan_context(app):
        statuses = {}
        for client in ("192.0.2.7", "127.0.0.1"):
            transport = httpx.ASGITransport(app, client=(client, 4711))
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
                answers = [await http.get("/api/tracks") for _ in range(3)]
                statuses[client] = [answer.status_code for answer in answers]
                if client == "192.0.2.7":
                    assert answers[2].json()["code"] == "rate_limited"
                    assert answers[2].json()["request_id"] == answers[2].headers["x-request-id"]
                    assert int(answers[2].headers["retry-after"]) > 0
        assert statuses == {"192.0.2.7": [200, 429, 429], "127.0.0.1": [200] * 3}


async def test_a_body_that_says_it_is_too_large_gets_our_answer(
    make_settings: Callable[..., Any], serve_app: Callable[..., Any]
) -> None:
    with serve_app(create_app(make_settings())) as url:
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            f"POST /api/tracks HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            "Content-Length: 99999999\r\nConnection: close\r\nX-Request-ID: big\r\n\r\n".encode()
        )
        answer = (await asyncio.wait_for(reader.read(), 5)).decode()
        writer.close()
    assert answer.startswith("HTTP/1.1 413")
    assert '"code":"too_large"' in answer
    assert '"request_id":"big"' in answer


async def test_the_page_of_the_api_loads_nothing_from_elsewhere(gateway: Any) -> None:
    page = (await gateway.http.get("/docs")).text
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert sources
    for source in sources:
        assert source.startswith("/"), source
        assert (await gateway.http.get(source)).status_code == 200
    assert "cdn." not in page
    assert (await gateway.http.get("/docs/../main.py")).status_code == 404
    assert (await gateway.http.get("/docs/other.js")).status_code == 422
