"""Refuses a request body that is larger than its endpoint takes, before it is read or stored."""

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dj_contracts.errors import ErrorCode
from dj_servicekit.errors import TooLarge
from dj_servicekit.http import error_response

JSON_LIMIT_BYTES = 16 * 1024**2


class BodyLimit:
    def __init__(self, app: ASGIApp, *, upload_path: str, upload_bytes: int) -> None:
        self.app = app
        self.upload_path = upload_path
        self.upload_bytes = upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.upload_bytes if scope["path"] == self.upload_path else JSON_LIMIT_BYTES
        detail = f"The request is larger than the {limit} bytes that are taken here."
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > limit:
            answer = error_response(Request(scope), 413, ErrorCode.TOO_LARGE, detail)
            await answer(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise TooLarge(detail)
            return message

        await self.app(scope, counted, send)
