"""Every failure answers with one body, and every answer carries its request id."""

import httpx
from fastapi import FastAPI

from dj_servicekit.errors import Busy
from dj_servicekit.http import install_error_answers


def client() -> httpx.AsyncClient:
    app = FastAPI()
    install_error_answers(app)

    @app.get("/busy")
    async def busy() -> None:
        raise Busy("Full. Try again in a moment.", retry_after_seconds=7)

    @app.get("/bug")
    async def bug() -> None:
        raise KeyError("secret")

    @app.get("/number")
    async def number(n: int) -> int:
        return n

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


async def test_a_known_failure_has_code_detail_and_the_older_error_field() -> None:
    async with client() as http:
        answer = await http.get("/busy", headers={"X-Request-ID": "abc"})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "7"
    assert answer.headers["X-Request-ID"] == "abc"
    assert answer.json() == {
        "code": "busy",
        "detail": "Full. Try again in a moment.",
        "request_id": "abc",
        "error": "Full. Try again in a moment.",
    }


async def test_a_bug_is_a_500_that_tells_nothing_of_the_inside() -> None:
    async with client() as http:
        answer = await http.get("/bug")
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal"
    assert answer.headers["X-Request-ID"] == answer.json()["request_id"] != ""
    assert "secret" not in answer.text


async def test_malformed_input_names_the_field() -> None:
    async with client() as http:
        answer = await http.get("/number", params={"n": "x"})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("n: ")


async def test_an_unknown_path_has_our_body_too() -> None:
    async with client() as http:
        answer = await http.get("/nowhere")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_request_id_that_could_forge_a_log_line_is_replaced() -> None:
    async with client() as http:
        answer = await http.get("/number?n=1", headers={"X-Request-ID": "a b\tc"})
    assert answer.headers["X-Request-ID"] not in ("a b\tc", "")
