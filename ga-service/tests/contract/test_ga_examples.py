"""Each example request gets its example result, to the digit."""

import json
from typing import Any

import pytest

from dj_contracts.examples import read_example
from dj_contracts.set_building import BuildRequest, NextRequest, PathRequest, ScoreRequest
from dj_contracts.sets import OrderRequest
from ga_service.work import Task, answer


def without_time(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_time(item) for name, item in value.items() if name != "elapsed_ms"}
    return [without_time(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("order", OrderRequest),
        ("build", BuildRequest),
        ("path", PathRequest),
        ("next", NextRequest),
        ("score", ScoreRequest),
    ],
)
def test_an_example_request_gets_its_example_result(name: str, kind: Any) -> None:
    body = json.dumps(read_example(f"{name}-request")).encode()
    result = json.loads(answer(Task(kind, body), report=lambda _: None))
    assert without_time(result) == without_time(read_example(f"{name}-result"))
