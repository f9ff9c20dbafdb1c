"""Reads a query string into a model at once, and describes the model's fields as parameters.

FastAPI does the same for a model in ``Query()``, one parameter after the other: for the forty of a search
that takes longer than answering it. So routes with many parameters are written

    @router.get("", openapi_extra=query_parameters(Model))
    async def route(query: Annotated[Model, Depends(query_reader(Model))]): ...
"""

from collections.abc import Awaitable, Callable, Collection
from typing import Any, TypeVar, get_origin

from fastapi import Request
from pydantic import BaseModel, ValidationError

from dj_servicekit.errors import Malformed
from dj_servicekit.http import describe

M = TypeVar("M", bound=BaseModel)


def query_reader(model: type[M]) -> Callable[[Request], Awaitable[M]]:
    """A dependency: of a name that is given twice, all values where the field is a list, else the last."""
    many = {name for name, field in model.model_fields.items() if get_origin(field.annotation) is list}

    async def read(request: Request) -> M:
        given: dict[str, Any] = {}
        for name, value in request.query_params.multi_items():
            if name in many:
                given.setdefault(name, []).append(value)
            else:
                given[name] = value
        try:
            return model.model_validate(given)
        except ValidationError as exc:
            raise Malformed(describe(exc.errors(), model)) from exc

    return read


def query_parameters(model: type[BaseModel], *, but: Collection[str] = ("username",)) -> dict[str, Any]:
    """The ``openapi_extra`` of a route. ``username`` is described where a route asks for its ``Owner``."""
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})
    return {
        "parameters": [
            {
                "name": name,
                "in": "query",
                "required": name in schema.get("required", []),
                "schema": _inlined(field, definitions),
                **({"description": field["description"]} if "description" in field else {}),
            }
            for name, field in schema["properties"].items()
            if name not in but
        ]
    }


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """The schema with what it refers to written out, for its definitions stay behind."""
    if isinstance(schema, list):
        return [_inlined(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        whole = definitions[str(schema["$ref"]).rpartition("/")[2]]
        return _inlined(whole | {name: part for name, part in schema.items() if name != "$ref"}, definitions)
    return {name: _inlined(part, definitions) for name, part in schema.items()}
