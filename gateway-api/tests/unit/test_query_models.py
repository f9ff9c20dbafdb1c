"""A query string read into a model, and described, as FastAPI would."""

from enum import StrEnum
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI
from httpx import ASGITransport, AsyncClient
from pydantic import BaseModel, ConfigDict, Field

from dj_servicekit.http import install_error_answers
from gateway_api.query_models import query_parameters, query_reader


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: int | None = Field(default=None, ge=1, description="A number.")
    colour: list[Colour] = []
    yes: bool = False
    username: str | None = None


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    install_error_answers(app)

    @app.get("/", openapi_extra=query_parameters(Asked))
    async def ask(asked: Annotated[Asked, Depends(query_reader(Asked))]) -> Asked:
        return asked

    return app


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("", {}),
        ("number=3&yes=true", {"number": 3, "yes": True}),
        ("colour=red&colour=blue", {"colour": ["red", "blue"]}),
        ("number=3&number=4", {"number": 4}),
    ],
)
async def test_it_is_read_as_a_model(app: FastAPI, query: str, asked: dict[str, object]) -> None:
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as http:
        answer = await http.get(f"/?{query}")
    assert answer.json() == Asked.model_validate(asked).model_dump(mode="json")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("number=0", "number: Input should be greater"),
        ("colour=green", "colour.0: Input should be 'red' or 'blue'"),
        ("x=1", "x: Nothing here has this name. See /docs"),
        ("nmber=1", "nmber: Nothing here has this name. Did you mean number?"),
    ],
)
async def test_what_does_not_fit_is_refused_where_it_stands(app: FastAPI, query: str, sentence: str) -> None:
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as http:
        answer = await http.get(f"/?{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(sentence)


def test_it_is_described_without_references(app: FastAPI) -> None:
    described = {one["name"]: one for one in app.openapi()["paths"]["/"]["get"]["parameters"]}
    assert list(described) == ["number", "colour", "yes"]
    assert described["number"]["description"] == "A number."
    assert described["colour"]["schema"]["items"]["enum"] == ["red", "blue"]
