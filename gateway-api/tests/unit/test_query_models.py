"""A query string read into a model, and described, as FastAPI would."""

from enum import StrEnum
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI
from httpx import ASGITransport, AsyncClient
from pydantic import BaseModel, ConfigDict, Field

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
    ("query", "place"),
    [("number=0", ["query", "number"]), ("colour=green", ["query", "colour", 0]), ("x=1", ["query", "x"])],
)
async def test_what_does_not_fit_is_refused_where_it_stands(
    app: FastAPI, query: str, place: list[object]
) -> None:
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as http:
        answer = await http.get(f"/?{query}")
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, place)


def test_it_is_described_without_references(app: FastAPI) -> None:
    described = {one["name"]: one for one in app.openapi()["paths"]["/"]["get"]["parameters"]}
    assert list(described) == ["number", "colour", "yes"]
    assert described["number"]["description"] == "A number."
    assert described["colour"]["schema"]["items"]["enum"] == ["red", "blue"]
