"""What every HTTP service of ours does alike: request ids, error bodies, start and stop."""

import re
import uuid
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args

import structlog
import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dj_contracts.errors import ErrorBody, ErrorCode
from dj_servicekit.errors import ServiceError
from dj_servicekit.file_spans import FileSpans
from dj_servicekit.logs import log

REQUEST_ID_HEADER = "X-Request-ID"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CODE_OF_STATUS = {
    400: ErrorCode.MALFORMED,
    404: ErrorCode.NOT_FOUND,
    405: ErrorCode.METHOD_NOT_ALLOWED,
    413: ErrorCode.TOO_LARGE,
}
_SENTENCES = {
    404: "There is nothing at this path. See /docs for what there is.",
    405: "This path does not take that method. See /docs for what it takes.",
    413: "The request is larger than what is taken here.",
}
_LONGEST_NAME = 64
_NO_OBJECT = "Write a JSON object here: {...}"
# What the frameworks call a fault, and what we say.
_PLAINLY = {
    "There was an error parsing the body": "The body cannot be read: send JSON in UTF-8, nested less deeply.",
    "model_attributes_type": _NO_OBJECT,
    "model_type": _NO_OBJECT,
    "dict_type": _NO_OBJECT,
}


def error_answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The ``responses=`` of a route: these statuses, each with our error body and an example."""
    example = {"code": "not_found", "detail": "What happened and what to do.", "request_id": "4f0c"}
    return {
        status: {
            "model": ErrorBody,
            "content": {
                "application/json": {"example": {**example, "error": example["detail"]}},
            },
        }
        for status in statuses
    }


class RequestIDs:
    """Takes the caller's request id or makes one, puts it on every log line and on the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(REQUEST_ID_HEADER.lower().encode(), b"").decode("latin-1")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self.app(scope, receive, send_with_id)


class _OurTooLarge:
    """Puts our body in place of the plain text with which the framework refuses a request that is too
    large. It does so outside of every middleware that an application can add, hence this one around all."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        replaced = False

        async def send_ours(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] == 413:
                replaced = MutableHeaders(scope=message).get("content-type", "").startswith("text/plain")
                if replaced:
                    request = Request(scope)
                    response = error_response(request, 413, ErrorCode.TOO_LARGE, _SENTENCES[413])
                    await response(scope, receive, send)
            if not replaced:
                await send(message)

        await self.app(scope, receive, send_ours)


def install_error_answers(app: FastAPI) -> None:
    """Give every failure the one body of ``ErrorBody`` and every request an id."""

    @app.exception_handler(ServiceError)
    async def _service_error(request: Request, exc: ServiceError) -> JSONResponse:
        return error_response(request, exc.status, exc.code, exc.detail, exc.headers)

    @app.exception_handler(RequestValidationError)
    async def _malformed(request: Request, exc: RequestValidationError) -> JSONResponse:
        errors = [error | {"loc": error["loc"][1:]} for error in exc.errors()]
        body = getattr(request.scope.get("route"), "body_field", None)
        detail = _without_json(request, exc) or describe(errors, body and body.field_info.annotation)
        return error_response(request, 422, ErrorCode.MALFORMED, detail)

    @app.exception_handler(HTTPException)
    async def _http_error(request: Request, exc: HTTPException) -> JSONResponse:
        code = _CODE_OF_STATUS.get(exc.status_code, ErrorCode.MALFORMED)
        said = str(exc.detail)
        detail = _SENTENCES.get(exc.status_code) or _PLAINLY.get(said, said)
        headers = dict(exc.headers) if exc.headers else None
        return error_response(request, exc.status_code, code, detail, headers)

    @app.exception_handler(ClientDisconnect)
    async def _gone(request: Request, _exc: ClientDisconnect) -> JSONResponse:
        # Nobody reads this: the caller went away in the middle of its own request.
        return error_response(request, 400, ErrorCode.MALFORMED, "The request ended before its body did.")

    @app.exception_handler(Exception)
    async def _bug(request: Request, exc: Exception) -> JSONResponse:
        # This runs outside the middleware that binds the id, so it is named here.
        request_id = getattr(request.state, "request_id", "")
        log.error("request_failed", request_id=request_id, path=request.url.path, exc_info=exc)
        detail = "This is a fault of ours. The log has it under the request id."
        return error_response(request, 500, ErrorCode.INTERNAL, detail)

    app.add_middleware(RequestIDs)
    build = app.build_middleware_stack
    app.build_middleware_stack = lambda: _OurTooLarge(build())  # type: ignore[method-assign]


def error_response(
    request: Request,
    status: int,
    code: ErrorCode,
    detail: str,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    request_id = getattr(request.state, "request_id", "")
    body = ErrorBody(code=code, detail=detail, request_id=request_id)
    headers = {**(headers or {}), REQUEST_ID_HEADER: request_id}
    return JSONResponse(body.model_dump(mode="json"), status_code=status, headers=headers)


def _without_json(request: Request, exc: RequestValidationError) -> str | None:
    """What to say of a body that is not there, or that the framework left as bytes for its type."""
    error = exc.errors()[0]
    if error["loc"] != ("body",):
        return None
    if error["type"] == "missing":
        return "The request has no body. Send JSON, with the header Content-Type: application/json."
    if isinstance(exc.body, bytes):
        given = request.headers.get("content-type", "missing")
        return (
            f"The body was not read: Content-Type is {given}. Send JSON, and Content-Type: application/json."
        )
    return None


def describe(errors: Sequence[Mapping[str, Any]], expected: Any = None) -> str:
    """What pydantic found, in a line: where, and what is wrong there. Where ``expected`` is the type
    that it read into, a name that is wrong is told the nearest right one."""
    parts = []
    for error in errors[:5]:
        place = error["loc"]
        if error["type"] == "json_invalid":
            where = f" at character {place[-1]}" if place else ""
            parts.append(f"The body is not valid JSON: {error['ctx']['error']}{where}")
            continue
        if error["type"] == "extra_forbidden":
            name = str(place[-1])[:_LONGEST_NAME]  # the search takes as long as a caller's name is
            near = get_close_matches(name, _names(expected, place[:-1]), n=1)
            what = "Nothing here has this name. "
            what += f"Did you mean {near[0]}?" if near else "See /docs for what there is."
        else:
            what = _PLAINLY.get(error["type"], str(error["msg"]).removeprefix("Value error, "))
        where = ".".join(str(part)[:_LONGEST_NAME] for part in place) or "body"
        parts.append(f"{where}: {what}")
    return "; ".join(parts)


def _names(expected: Any, place: Sequence[int | str]) -> list[str]:
    """The fields that there are at a place below a type."""
    models = _models_in(expected)
    for part in place:
        if isinstance(part, str):
            fields = [model.model_fields[part] for model in models if part in model.model_fields]
            models = [found for field in fields for found in _models_in(field.annotation)]
    return [name for model in models for name in model.model_fields]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _models_in(part)]


def serve(app: FastAPI, *, host: str, port: int) -> None:
    """Run until SIGTERM or SIGINT, then finish what is under way."""
    uvicorn.run(
        FileSpans(app),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
