"""Who may ask: tokens, foreign pages, request sizes."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

TOKEN = "a-token-for-the-api"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": f"Bearer {TOKEN}"}, 200),
        ({"Authorization": "Basic ZGo6YS10b2tlbi1mb3ItdGhlLWFwaQ=="}, 200),
        ({"Authorization": "Basic %%%"}, 401),
    ],
)
async def test_with_a_token_set_nothing_answers_without_it(
    make_settings: Callable[..., Any],
    running_gateway: Callable[..., Any],
    headers: dict[str, str],
    status: int,
) -> None:
    async with running_gateway(make_settings(api_token=SecretStr(TOKEN))) as gateway:
        answer = await gateway.http.get("/api/tracks", headers=headers)
        assert answer.status_code == status
        assert (await gateway.http.get("/health")).status_code == 200


async def test_a_foreign_page_cannot_reach_through_the_browser(gateway: Any) -> None:
    rebound = await gateway.http.get("/api/tracks", headers={"Host": "evil.example"})
    assert rebound.status_code == 403
    foreign = await gateway.http.post(
        "/api/friends", json={"username": "x"}, headers={"Origin": "https://evil.example"}
    )
    assert foreign.status_code == 403
    own = await gateway.http.post(
        "/api/friends", json={"username": "x"}, headers={"Origin": "http://localhost"}
    )
    assert own.status_code == 201


async def test_a_body_that_is_too_large_is_refused(
    make_settings: Callable[..., Any], running_gateway: Callable[..., Any]
) -> None:
    async with running_gateway(make_settings(max_upload_bytes=1000)) as gateway:
        big = {"file": ("a.mp3", b"x" * 3_000_000)}
        assert (await gateway.http.post("/api/upload", files=big)).status_code == 413
        wide = {"title": "x" * 20_000_000}
        assert (await gateway.http.post("/api/tracks", json=wide)).status_code == 413
