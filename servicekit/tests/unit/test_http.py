"""Every failure answers with one body, and every answer carries its request id."""

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

from dj_servicekit.errors import Busy
from dj_servicekit.http import install_error_answers


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tempo: int = 0


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = ""
    many: list[Inner] | None = None


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

    @app.post("/body")
    async def body(asked: Asked) -> Asked:
        return asked

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


JSON = "application/json"


@pytest.mark.parametrize(
    ("content", "content_type", "sentence"),
    [
        (b'{"name": "a",}', JSON, "The body is not valid JSON: Expecting property name"),
        (b'{"name": "a"', JSON, "The body is not valid JSON: Expecting ',' delimiter at character 12"),
        (b'{"name": "\xff"}', JSON, "The body cannot be read: send JSON in UTF-8"),
        (b"", JSON, "The request has no body. Send JSON"),
        (b'{"name": "a"}', None, "The body was not read: Content-Type is missing. Send JSON, and Content-"),
        (b'{"name": "a"}', "text/plain", "The body was not read: Content-Type is text/plain. Send JSON"),
        (b"[]", JSON, "body: Write a JSON object here: {...}"),
        (b'{"many": [1]}', JSON, "many.0: Write a JSON object here: {...}"),
        (b'{"nmae": "a"}', JSON, "nmae: Nothing here has this name. Did you mean name?"),
        (b'{"many": [{"tmpo": 1}]}', JSON, "many.0.tmpo: Nothing here has this name. Did you mean tempo?"),
        (b'{"many": [{"name": 1}]}', JSON, "many.0.name: Nothing here has this name. See /docs for what"),
    ],
)
async def test_a_body_that_is_refused_is_told_what_to_do(
    content: bytes, content_type: str | None, sentence: str
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    async with client() as http:
        answer = await http.post("/body", content=content, headers=headers)
    assert answer.json()["code"] == "malformed"
    assert answer.json()["detail"].startswith(sentence), answer.text


async def test_an_unknown_path_has_our_body_too() -> None:
    async with client() as http:
        answer = await http.get("/nowhere")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_request_id_that_could_forge_a_log_line_is_replaced() -> None:
    async with client() as http:
        answer = await http.get("/number?n=1", headers={"X-Request-ID": "a b\tc"})
    assert answer.headers["X-Request-ID"] not in ("a b\tc", "")
