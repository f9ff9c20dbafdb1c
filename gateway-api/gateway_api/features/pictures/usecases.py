"""Find what a picture is made of, make it off the event loop, and keep what costs time."""

import asyncio
import hashlib
import uuid
from pathlib import Path

from dj_contracts.errors import ErrorCode
from dj_servicekit.errors import NotFound, TooLarge
from gateway_api.adapters.audio_storage import Bytes, Content, LocalFile
from gateway_api.db import transaction
from gateway_api.features.pictures import store
from gateway_api.features.pictures.drawing import draw_waveform, make_small
from gateway_api.features.pictures.waveform import StoredWaveform, WaveformPart
from gateway_api.features.tracks import store as tracks_store
from gateway_api.features.tracks.usecases import track_not_found
from gateway_api.services import Services

_LARGEST_COVER = 30 * 1024**2


async def get_waveform(
    username: str, track_id: str, services: Services, *, start: float, end: float | None, points: int
) -> WaveformPart:
    stored = await _get_stored(username, track_id, services)
    return await asyncio.to_thread(stored.part, start, end, points)


async def draw(
    username: str,
    track_id: str,
    services: Services,
    *,
    start: float,
    end: float | None,
    width: int,
    height: int,
) -> Content:
    stored = await _get_stored(username, track_id, services)

    def paint() -> bytes:
        return draw_waveform(stored.part(start, end, width), height)

    return Bytes(await asyncio.to_thread(paint), _etag(stored.version, start, end, width, height))


async def open_cover(username: str, track_id: str, size: int, services: Services) -> Content:
    """The cover as a JPEG of at most this size, made once for each content and size."""
    async with transaction(services.db) as conn:
        found = await store.find_cover(conn, username, track_id)
    if found is None:
        raise track_not_found(track_id)
    if found.cover_path is None:
        raise NotFound(
            "This track has no cover yet. POST .../extract-cover-art takes it out of the file.",
            code=ErrorCode.FILE_MISSING,
        )
    original = await services.storage.open(found.cover_path)
    try:
        name = hashlib.sha256(f"{found.cover_path}\n{original.etag}".encode()).hexdigest()
        cached = services.audio.managed / ".cache" / "covers" / f"{name}-{size}.jpg"
        if (small := await asyncio.to_thread(_open, cached)) is not None:
            return small
        if original.size > _LARGEST_COVER:
            raise TooLarge("The cover is too large to be made small.")
        content = b"".join([chunk async for chunk in original.chunks(0, original.size)])
    finally:
        await original.close()
    return await asyncio.to_thread(_keep, cached, content, size)


def _open(path: Path) -> LocalFile | None:
    try:
        return LocalFile(path.open("rb"))
    except FileNotFoundError:
        return None


def _keep(path: Path, content: bytes, size: int) -> LocalFile:
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{uuid.uuid4().hex}")
    try:
        scratch.write_bytes(make_small(content, size))
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
    return LocalFile(path.open("rb"))


async def _get_stored(username: str, track_id: str, services: Services) -> StoredWaveform:
    async with transaction(services.db) as conn:
        if (stored := await store.find_waveform(conn, username, track_id)) is not None:
            return stored
        if await tracks_store.find_track(conn, username, track_id) is None:
            raise track_not_found(track_id)
    raise NotFound("This track has no waveform yet. POST .../analyze measures it.")


def _etag(*parts: object) -> str:
    return f'"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"'
