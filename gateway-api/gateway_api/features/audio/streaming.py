"""The answer to a request for a file: whole, in one or many ranges, not modified, or refused."""

import secrets
from collections.abc import Awaitable
from contextlib import aclosing

import anyio
from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from dj_contracts.errors import ErrorCode
from dj_servicekit.file_spans import EXTENSION, MESSAGE_KEY
from dj_servicekit.http import error_response
from gateway_api.adapters.audio_storage import Content
from gateway_api.features.audio.ranges import (
    NotSatisfiable,
    Verdict,
    Version,
    judge,
    parse_ranges,
    range_header,
)

_FOR_EVER = "private, max-age=31536000, immutable"
_ASK_AGAIN = "private, no-cache"


class ContentResponse(Response):
    """``version`` is what the URL names, if it names one: only such a URL means one content for ever."""

    def __init__(self, audio: Content, media_type: str, version: str | None = None) -> None:
        self._audio = audio
        self._version = Version(audio.etag, audio.modified)
        self.status_code = 200
        self.media_type = media_type
        self.background = None
        self.init_headers(
            {
                "Accept-Ranges": "bytes",
                "ETag": audio.etag,
                "Last-Modified": self._version.last_modified,
                "Cache-Control": _FOR_EVER if version == audio.etag.strip('"') else _ASK_AGAIN,
                "X-Content-Type-Options": "nosniff",
            }
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._answer(Request(scope), scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await self._audio.close()

    async def _answer(self, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        size = self._audio.size
        verdict = judge(request.method, request.headers, self._version)
        if verdict is Verdict.NOT_MODIFIED:
            del self.headers["content-type"]
            await self._start(send, 304)
            await send({"type": "http.response.body", "body": b""})
            return
        if verdict is Verdict.FAILED:
            await self._refuse(request, send, 412, ErrorCode.PRECONDITION_FAILED, "The file has changed.")
            return
        try:
            spans = parse_ranges(range_header(request.method, request.headers, self._version), size)
        except NotSatisfiable:
            detail = f"The file has {size} bytes, and the asked range none of them."
            self.headers["Content-Range"] = f"bytes */{size}"
            await self._refuse(request, send, 416, ErrorCode.RANGE_NOT_SATISFIABLE, detail)
            return
        if not spans:
            self.headers["Content-Length"] = str(size)
            await self._send(scope, receive, send, 200, [(b"", 0, size)], b"")
        elif len(spans) == 1:
            start, stop = spans[0]
            self.headers["Content-Length"] = str(stop - start)
            self.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
            await self._send(scope, receive, send, 206, [(b"", start, stop)], b"")
        else:
            parts, end = self._multipart(spans)
            length = sum(len(head) + stop - start for head, start, stop in parts) + len(end)
            self.headers["Content-Length"] = str(length)
            await self._send(scope, receive, send, 206, parts, end)

    def _multipart(self, spans: list[tuple[int, int]]) -> tuple[list[tuple[bytes, int, int]], bytes]:
        boundary = secrets.token_hex(16)
        inner = self.headers["content-type"]
        self.headers["content-type"] = f"multipart/byteranges; boundary={boundary}"
        parts = [
            (
                f"\r\n--{boundary}\r\nContent-Type: {inner}\r\n"
                f"Content-Range: bytes {start}-{stop - 1}/{self._audio.size}\r\n\r\n".encode(),
                start,
                stop,
            )
            for start, stop in spans
        ]
        return parts, f"\r\n--{boundary}--\r\n".encode()

    async def _send(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        status: int,
        parts: list[tuple[bytes, int, int]],
        end: bytes,
    ) -> None:
        await self._start(send, status)
        if scope["method"] != "HEAD":
            if EXTENSION in scope.get("extensions", {}) and self._audio.span(0, 0) is not None:
                await self._send_spans(send, parts)
            else:
                await _until_gone(receive, self._send_chunks(send, parts))
        await send({"type": "http.response.body", "body": end})

    async def _send_spans(self, send: Send, parts: list[tuple[bytes, int, int]]) -> None:
        for head, start, stop in parts:
            if head:
                await send({"type": "http.response.body", "body": head, "more_body": True})
            span = self._audio.span(start, stop)
            await send({"type": "http.response.body", "body": b"", "more_body": True, MESSAGE_KEY: span})

    async def _send_chunks(self, send: Send, parts: list[tuple[bytes, int, int]]) -> None:
        for head, start, stop in parts:
            if head:
                await send({"type": "http.response.body", "body": head, "more_body": True})
            async with aclosing(self._audio.chunks(start, stop)) as chunks:
                async for chunk in chunks:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def _start(self, send: Send, status: int) -> None:
        await send({"type": "http.response.start", "status": status, "headers": self.raw_headers})

    async def _refuse(self, request: Request, send: Send, status: int, code: ErrorCode, detail: str) -> None:
        kept = {name: self.headers[name] for name in ("ETag", "Content-Range") if name in self.headers}
        await error_response(request, status, code, detail, kept)(request.scope, request.receive, send)


async def _until_gone(receive: Receive, sending: Awaitable[None]) -> None:
    """Send until all is sent or the client has gone, which uvicorn tells only whoever listens."""

    async def listen() -> None:
        while (await receive())["type"] != "http.disconnect":
            continue
        group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(listen)
        await sending
        group.cancel_scope.cancel()
