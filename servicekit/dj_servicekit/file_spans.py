"""Parts of files that go from the disk to the network inside the kernel, under uvicorn.

ASGI hands a body over as bytes, which reads every file into Python and copies it out again. uvicorn has
no extension for files, so ``FileSpans`` stands between it and the application, and sends those body
messages itself that carry a ``FileSpan``. An application may send one when the scope's extensions name
``EXTENSION``; such a message keeps the shape of any other, so middleware lets it pass.

The kernel's work is done in threads, for a disk that has to look for a file would hold up every other
request. A thread stays with a client that takes the bytes as fast as they come, and leaves a slow one
to the event loop, which waits for thousands at no cost.
"""

import asyncio
import os
import select
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

import h11
from starlette.types import ASGIApp, Message, Receive, Scope, Send

EXTENSION = "dj.file_span"
MESSAGE_KEY = "file_span"
# A request's cycle of uvicorn, with h11 or with httptools; that of another server has neither name.
_CYCLES = ("uvicorn.protocols.http.h11_impl", "uvicorn.protocols.http.httptools_impl")
_THREADS = 16
# How long a thread waits for its client, and what it sends at most before others have their turn.
_PATIENCE_MS = 30
_TURN_BYTES = 16 * 1024**2


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
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="file-spans")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        cycle = getattr(send, "__self__", None)
        if scope["type"] != "http" or type(cycle).__module__ not in _CYCLES:
            await self.app(scope, receive, send)
            return

        async def send_spans(message: Message) -> None:
            span = cast("FileSpan | None", message.pop(MESSAGE_KEY, None))
            if span is not None and scope["method"] != "HEAD":
                await self._send(cycle, span)
            await send(message)

        scope.setdefault("extensions", {})[EXTENSION] = {}
        await self.app(scope, receive, send_spans)

    async def _send(self, cycle: Any, span: FileSpan) -> None:
        await _flush(cycle)
        # The transport knows first; uvicorn must not miss the bytes that nobody waits for.
        cycle.disconnected = cycle.disconnected or cycle.transport.is_closing()
        if cycle.disconnected or not span.count:
            return
        _count(cycle, span)
        # A descriptor of our own: uvicorn may close its own, and the number be another connection's.
        out = os.dup(cycle.transport.get_extra_info("socket").fileno())
        try:
            whole = await self._pour(cycle, span, out)
        except ConnectionError:
            whole = False
        finally:
            os.close(out)
        if not whole:
            # The client left, or the file became shorter, which only a broken connection can tell.
            cycle.disconnected = True
            cycle.transport.abort()

    async def _pour(self, cycle: Any, span: FileSpan, out: int) -> bool:
        offset, stop = span.offset, span.offset + span.count
        loop = asyncio.get_running_loop()
        while offset < stop and not cycle.disconnected:
            turn = loop.run_in_executor(self._threads, _send_turn, out, span.file.fileno(), offset, stop)
            try:
                offset, may_go_on = await asyncio.shield(turn)
            except asyncio.CancelledError:
                await asyncio.wait([turn])  # the descriptors are the thread's until it is done
                raise
            if not may_go_on:
                return False
            if offset < stop:
                await _writable(out)
        return offset == stop


def _count(cycle: Any, span: FileSpan) -> None:
    """Count the bytes against Content-Length, for they themselves pass uvicorn by."""
    if hasattr(cycle, "conn"):
        cycle.conn.send_with_data_passthrough(h11.Data(data=cast("bytes", span)))
    elif span.count <= cycle.expected_content_length:
        cycle.expected_content_length -= span.count
    else:
        raise RuntimeError("Response content longer than Content-Length")


def _send_turn(out: int, file: int, offset: int, stop: int) -> tuple[int, bool]:
    """Send until the client is slow, the turn is over, or all is sent; False at an early end of the file."""
    poll = select.poll()
    poll.register(out, select.POLLOUT)
    end = min(stop, offset + _TURN_BYTES)
    while offset < end:
        try:
            sent = os.sendfile(out, file, offset, end - offset)
        except BlockingIOError:
            if not poll.poll(_PATIENCE_MS):
                break
            continue
        if sent == 0:
            return offset, False
        offset += sent
    return offset, True


async def _flush(cycle: Any) -> None:
    """Wait until what uvicorn was given is with the kernel, so that the bytes keep their order."""
    if cycle.transport.is_closing():  # uvloop sets no limits then
        return
    cycle.transport.set_write_buffer_limits(high=0)
    try:
        while cycle.flow.write_paused and not cycle.disconnected:
            await cycle.flow.drain()
    finally:
        if not cycle.transport.is_closing():
            cycle.transport.set_write_buffer_limits()


async def _writable(out: int) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def tell() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_writer(out, tell)
    try:
        await ready
    finally:
        loop.remove_writer(out)
