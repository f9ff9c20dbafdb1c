"""Parts of files that go from the disk to the network inside the kernel, under uvicorn.

ASGI hands a body over as bytes, which reads every file into Python and copies it out again. uvicorn has
no extension for files, so ``FileSpans`` stands between it and the application, and sends those body
messages itself that carry a ``FileSpan``. An application may send one when the scope's extensions name
``EXTENSION``; such a message keeps the shape of any other, so middleware lets it pass.
"""

import asyncio
import os
from dataclasses import dataclass
from typing import BinaryIO, cast

import h11
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import RequestResponseCycle

EXTENSION = "dj.file_span"
MESSAGE_KEY = "file_span"
# What the kernel is asked to read ahead, so that the event loop seldom waits for the disk.
_READ_AHEAD = 4 * 1024**2


@dataclass(frozen=True)
class FileSpan:
    """Bytes of an open file. As h11's stand-in for them it has a length and nothing else."""

    file: BinaryIO
    offset: int
    count: int

    def __len__(self) -> int:
        return self.count


class FileSpans:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        cycle = getattr(send, "__self__", None)
        if scope["type"] != "http" or not isinstance(cycle, RequestResponseCycle):
            await self.app(scope, receive, send)
            return

        async def send_spans(message: Message) -> None:
            span = cast("FileSpan | None", message.pop(MESSAGE_KEY, None))
            if span is not None and scope["method"] != "HEAD":
                await _send_span(cycle, span)
            await send(message)

        scope.setdefault("extensions", {})[EXTENSION] = {}
        await self.app(scope, receive, send_spans)


async def _send_span(cycle: RequestResponseCycle, span: FileSpan) -> None:
    if cycle.flow.write_paused and not cycle.disconnected:
        await cycle.flow.drain()
    if cycle.disconnected or not span.count:
        return
    # h11 counts the bytes against Content-Length; they themselves pass it by.
    cycle.conn.send_with_data_passthrough(h11.Data(data=cast("bytes", span)))
    os.posix_fadvise(span.file.fileno(), span.offset, min(span.count, _READ_AHEAD), os.POSIX_FADV_WILLNEED)
    loop = asyncio.get_running_loop()
    try:
        sent = await loop.sendfile(cycle.transport, span.file, span.offset, span.count)
    except (ConnectionError, asyncio.IncompleteReadError):
        cycle.disconnected = True
        cycle.transport.abort()
        return
    if sent < span.count:
        # The file became shorter meanwhile. Only a broken connection tells the client that this is not all.
        cycle.disconnected = True
        cycle.transport.abort()
