"""The OpenAPI document is complete, and the service does what it says under generated input."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import schemathesis
import uvicorn
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ga_service.main import create_app
from ga_service.settings import Settings


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The service on a free port, up when this answers and down when it ends."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        listener.listen()
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)


def test_each_path_states_its_errors_and_an_example() -> None:
    document = create_app(Settings()).openapi()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method == "post":
                assert {"400", "413", "422", "500", "503", "504"} <= set(operation["responses"]), path
                assert "example" in operation["requestBody"]["content"]["application/json"]["schema"], path
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert named <= set(document["components"]["schemas"])


def test_generated_requests_get_documented_answers() -> None:
    app = create_app(Settings(ga_workers=1))
    checks = [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_schema_conformance,
    ]
    with served(app) as url:
        for result in schemathesis.openapi.from_url(f"{url}/openapi.json").get_all_operations():
            assert isinstance(result, Ok), result
            operation = result.ok()

            @given(case=operation.as_strategy())
            @settings(
                max_examples=25,
                deadline=None,
                database=None,
                derandomize=True,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            def ask(case: Case[Any]) -> None:
                answer = case.call(base_url=url, timeout=60)
                streamed = "text/event-stream" in answer.headers.get("content-type", [""])[0]
                case.validate_response(
                    answer, checks=[not_a_server_error, status_code_conformance] if streamed else checks
                )

            ask()
