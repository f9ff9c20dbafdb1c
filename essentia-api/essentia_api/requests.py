"""What a caller hands in: a name in JSON or an upload; both become a path that may be read."""

import asyncio
import re
import shutil
import tempfile
import threading
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field, ValidationError, WithJsonSchema
from starlette.datastructures import UploadFile
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dj_contracts.analysis import Part
from dj_contracts.errors import ErrorCode
from dj_servicekit.errors import Malformed, TooLarge
from dj_servicekit.http import describe
from essentia_api.errors import Unusable, UploadTooSlow
from essentia_api.fetch import fetch
from essentia_api.folders import find_audio
from essentia_api.pool import AnalysisPool
from essentia_api.settings import Settings

_PartName = Annotated[Part, WithJsonSchema({"type": "string", "enum": [*Part]})]
SCRATCH_PREFIX = "dj-analysis-"
_MOST_JSON_BYTES = 100_000
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


class AnalyzeRequest(BaseModel):
    filename: str = Field(
        max_length=4096,
        description="Below the audio folder, absolute in a music folder, or a URL of the gateway.",
    )
    want: list[_PartName] | None = Field(
        default=None, description="Only these parts, which is faster; all of them otherwise."
    )


@dataclass(frozen=True)
class Wanted:
    path: Path
    parts: frozenset[Part]
    given_up: threading.Event


REQUEST_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": AnalyzeRequest.model_json_schema(),
            "example": {"filename": "crate/night-bus.mp3"},
        },
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {"type": "string", "format": "binary"},
                    "want": {"type": "string", "description": "Parts with commas between; all otherwise."},
                },
            }
        },
    },
}


async def audio_to_analyze(request: Request) -> AsyncIterator[Wanted]:
    """The file to measure; an upload is removed again when the request ends."""
    with request.app.state.metrics.counted():
        async with _open(request) as wanted:
            yield wanted


@asynccontextmanager
async def _open(request: Request) -> AsyncIterator[Wanted]:
    settings: Settings = request.app.state.settings
    pool: AnalysisPool = request.app.state.pool
    if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        # The place is taken first: an upload that nobody can measure yet would only fill the disk.
        with pool.place():
            async with _uploaded(request, settings) as (path, parts), _watch(request) as given_up:
                yield Wanted(path, parts, given_up)
        return
    try:
        asked = AnalyzeRequest.model_validate_json(await _json(request, settings))
    except ValidationError as exc:
        raise Malformed(
            f'{describe(exc.errors())}. Send JSON such as {{"filename": "track.mp3"}}, '
            'or upload a form field "file".'
        ) from exc
    parts = frozenset(asked.want or Part)
    with pool.place():
        async with _watch(request) as given_up, _named(asked.filename, settings, given_up) as path:
            yield Wanted(path, parts, given_up)


@asynccontextmanager
async def _watch(request: Request) -> AsyncIterator[threading.Event]:
    """Whether who asked, and has said all, has hung up."""
    given_up = threading.Event()

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        given_up.set()

    watching = asyncio.create_task(watch())
    try:
        yield given_up
    finally:
        watching.cancel()


@asynccontextmanager
async def _named(name: str, settings: Settings, given_up: threading.Event) -> AsyncIterator[Path]:
    if _URL.match(name) is None:
        yield await run_in_threadpool(find_audio, name, settings)
        return
    with tempfile.NamedTemporaryFile(prefix=f"{SCRATCH_PREFIX}fetched-") as file:
        await fetch(name, file, settings, given_up)
        yield Path(file.name)


@asynccontextmanager
async def _in_time(settings: Settings) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(settings.fetch_timeout_seconds):
            yield
    except TimeoutError as exc:
        raise UploadTooSlow(
            f"The upload did not arrive within {settings.fetch_timeout_seconds:.0f} seconds "
            "(FETCH_TIMEOUT_SECONDS). Send it over a faster line, or raise the limit."
        ) from exc


async def _json(request: Request, settings: Settings) -> bytes:
    body = b""
    async with _in_time(settings):
        async for block in request.stream():
            body += block
            if len(body) > _MOST_JSON_BYTES:
                raise TooLarge(
                    f"JSON that names a file is no longer than {_MOST_JSON_BYTES:,} bytes. "
                    'To send the file itself, upload a form field "file".'
                )
    return body


@asynccontextmanager
async def _uploaded(request: Request, settings: Settings) -> AsyncIterator[tuple[Path, frozenset[Part]]]:
    async with AsyncExitStack() as stack:
        async with _in_time(settings):
            form = await stack.enter_async_context(request.form(max_files=1, max_fields=10))
        upload = form.get("file")
        parts = _parts(form.getlist("want"))
        if not isinstance(upload, UploadFile):
            raise Malformed('The form has no file. Upload it in the field "file".')
        with tempfile.NamedTemporaryFile(prefix=f"{SCRATCH_PREFIX}upload-") as file:
            await run_in_threadpool(shutil.copyfileobj, upload.file, file)
            file.flush()
            if file.tell() == 0:
                raise Unusable("The file is empty (0 bytes). Get it again.", code=ErrorCode.FILE_EMPTY)
            yield Path(file.name), parts


def sweep_scratch(older_than_seconds: float = 86_400) -> None:
    """Remove what a killed service left where temporary files lie; others may work there too."""
    for left in Path(tempfile.gettempdir()).glob(f"{SCRATCH_PREFIX}*"):
        # Two services that start at once may both be at it, and somebody else's files are not ours to remove.
        with suppress(OSError):
            if left.stat().st_mtime < time.time() - older_than_seconds:
                left.unlink()


# What was opened for a request is closed before its answer is sent: the next one finds the place free.
AudioToAnalyze = Annotated[Wanted, Depends(audio_to_analyze, scope="function")]


def _parts(names: list[Any]) -> frozenset[Part]:
    """A form says ``want`` once for each part, or once with commas."""
    asked = [name.strip() for given in names for name in str(given).split(",") if name.strip()]
    try:
        return frozenset(Part(name) for name in asked) or frozenset(Part)
    except ValueError as exc:
        raise Malformed(f"{exc}. Parts are {', '.join(Part)}.") from exc


class BodyLimit:
    """Refuses a body that grows past the limit while it arrives, before it fills the disk."""

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        received = 0

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.max_bytes:
                raise TooLarge(f"The upload is larger than {self.max_bytes:,} bytes (MAX_UPLOAD_BYTES).")
            return message

        await self.app(scope, limited if scope["type"] == "http" else receive, send)
