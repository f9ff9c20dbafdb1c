"""The OpenAPI document is complete, and the service does what it says under generated input."""

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    response_schema_conformance,
    status_code_conformance,
)

from gateway_api.main import create_app

# An endless stream has no end to wait for; test_events.py reads it.
_ENDLESS = "/api/jobs/events"


async def test_each_endpoint_states_its_errors_and_an_example(gateway: Any) -> None:
    document = (await gateway.http.get("/openapi.json")).json()
    schemas = document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            name = f"{method.upper()} {path}"
            if path in ("/health", "/ready"):
                continue
            assert {"401", "403"} <= set(operation["responses"]), name
            errors = [answer for status, answer in operation["responses"].items() if status[0] in "45"]
            assert all("content" in answer for answer in errors), name
            for media_type, body in operation.get("requestBody", {}).get("content", {}).items():
                if media_type == "application/json":
                    schema = schemas[body["schema"]["$ref"].rpartition("/")[2]]
                    assert schema.get("examples"), f"{name}: {schema['title']} has no example"


# The server is a thread of this process: its connection pool draws random pauses while a case is made up.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
def test_generated_requests_get_documented_answers(
    make_settings: Callable[..., Any], serve_app: Callable[..., Any]
) -> None:
    with serve_app(create_app(make_settings())) as url:
        schema = schemathesis.openapi.from_url(f"{url}/openapi.json").exclude(path=_ENDLESS)
        checks = [not_a_server_error, status_code_conformance, response_schema_conformance]
        for result in schema.get_all_operations():
            assert isinstance(result, Ok), result
            operation = result.ok()

            @given(case=operation.as_strategy())
            @settings(
                max_examples=12,
                deadline=None,
                database=None,
                derandomize=True,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            def ask(case: Case[Any]) -> None:
                # A set builder that is not there answers 503, which is what this says of it.
                answer = case.call(base_url=url, timeout=20)
                if answer.status_code != 503:
                    case.validate_response(answer, checks=checks)

            ask()
