"""Refuses bodies that are larger than any honest request, before they fill the memory."""

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """Counts what arrives, since a chunked body announces no length."""

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self.app = app
        self.most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                if read > self.most_bytes:
                    raise HTTPException(
                        413,
                        f"The request is over {self.most_bytes // 1_000_000} MB. Send fewer tracks at once.",
                    )
            return message

        await self.app(scope, counted if scope["type"] == "http" else receive, send)
