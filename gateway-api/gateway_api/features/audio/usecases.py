"""Uploads become files and tracks; a stream is found for whoever may hear it."""

import asyncio
import re
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

from dj_contracts.errors import ErrorCode
from dj_contracts.jobs import Job, JobKind
from dj_contracts.tracks import Track
from dj_servicekit.errors import NotAudio, NotFound, ServiceError
from gateway_api.adapters.audio_storage import Content
from gateway_api.db import reading, transaction
from gateway_api.features.audio import store
from gateway_api.features.audio.incoming import incoming_folder, receive
from gateway_api.features.downloads.usecases import request_upload, staged_name
from gateway_api.features.jobs.usecases import add_analysis_jobs, announce, get_row
from gateway_api.features.scan.store import NewFile, list_known_files, save_files
from gateway_api.features.scan.tags import read_tags
from gateway_api.features.scan.usecases import track_id_of
from gateway_api.features.scan.walk import AUDIO_SUFFIXES
from gateway_api.features.tracks import store as tracks_store
from gateway_api.features.tracks.usecases import track_not_found
from gateway_api.features.trash import store as trash_store
from gateway_api.services import Services


async def upload_track(
    username: str, pieces: AsyncIterator[tuple[str, bytes]], services: Services
) -> tuple[Track, bool]:
    """Keep an uploaded file and make its track; the same content again is the same track.

    The file is complete where it is kept before the row names it. Returns whether the track is new.
    """
    with incoming_folder(services.audio) as folder:
        received = await receive(pieces, folder, _require_audio_name)
        stem, suffix = safe_file_name(received.name)
        path = received.path.rename(folder / f"upload{suffix}")
        tags = await asyncio.to_thread(read_tags, path, f"{stem}{suffix}")
        audio_path = f"{username}/uploads/{received.sha256[:20]}-{stem}{suffix}"
        if not await services.storage.has(audio_path):
            await services.storage.place(path, audio_path)
    kept = await services.storage.open(audio_path)
    await kept.close()
    mtime_ns = round(kept.modified.timestamp() * 1e9)
    async with transaction(services.db) as conn:
        known = await list_known_files(conn, username, [audio_path], [track_id_of(audio_path)])
        if known:
            track_id = known[0].track_id
            to_measure = await trash_store.restore(conn, username, [track_id])
        else:
            track_id = track_id_of(audio_path)
            await save_files(conn, username, [NewFile(track_id, audio_path, received.size, mtime_ns, tags)])
            to_measure = [(track_id, audio_path)]
        rows = await add_analysis_jobs(conn, username, to_measure)
        track = await tracks_store.find_track(conn, username, track_id)
    await announce(rows, db=services.db, queue=services.queue, events=services.events)
    if track is None:
        raise track_not_found(track_id)
    return track.to_track(), not known


async def upload_for_track(
    username: str, track_id: str, pieces: AsyncIterator[tuple[str, bytes]], services: Services
) -> Job:
    """Keep the file aside until a job has verified it; only then does the track have it."""
    managed = services.audio.managed
    with incoming_folder(services.audio) as folder:
        received = await receive(pieces, folder, _require_audio_name)
        staged = staged_name(safe_file_name(received.name)[1])
        (managed / staged).parent.mkdir(exist_ok=True)
        received.path.rename(managed / staged)
    try:
        return await request_upload(username, track_id, str(staged), services)
    except ServiceError:
        await asyncio.to_thread((managed / staged).unlink)
        raise


async def open_by_name(username: str, audio_path: str, services: Services) -> Content:
    """The file of a track of this collection. A path that no track has is not served, wherever it lies."""
    async with reading(services.db) as conn:
        if "\x00" in audio_path or not await store.has_audio_path(conn, username, audio_path):
            raise NotFound("No track of this collection has that file.", code=ErrorCode.FILE_MISSING)
    return await services.storage.open(audio_path)


async def open_by_track(username: str, track_id: str, services: Services) -> tuple[str, Content]:
    """(stored path, file) of a track."""
    async with reading(services.db) as conn:
        audio_path, exists = await store.find_audio_path(conn, username, track_id)
    if not exists:
        raise track_not_found(track_id)
    if audio_path is None:
        raise NotFound("This track has no audio yet.", code=ErrorCode.FILE_MISSING)
    return audio_path, await services.storage.open(audio_path)


async def find_reader_url(job_id: str, services: Services) -> str | None:
    """Our own URL, which the analysis service may fetch, of a job's file that lies in no folder."""
    async with reading(services.db) as conn:
        row = await get_row(conn, job_id)
    audio_path = row.payload.get("audio_path")
    if row.kind != JobKind.ANALYZE or not await services.storage.is_remote(str(audio_path)):
        return None
    query = urlencode({"username": row.username, "filename": audio_path})
    return f"{services.settings.gateway_url.rstrip('/')}/api/audio?{query}"


def _require_audio_name(name: str) -> None:
    if safe_file_name(name)[1] not in AUDIO_SUFFIXES:
        raise NotAudio(f"{name!r} does not end like an audio file ({' '.join(sorted(AUDIO_SUFFIXES))}).")


def safe_file_name(name: str) -> tuple[str, str]:
    """(stem, suffix) of a name from outside: readable, and with nothing that a path could mean."""
    base = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    base = base.encode("utf-8", "ignore").decode()
    base = "".join(" " if not c.isprintable() or c in '<>:"|?*' else c for c in base).strip(". ")
    path = Path(base or "audio")
    # 255 bytes is what file systems take for a name; the digest in front of it has 21.
    stem = path.stem.encode()[:200].decode("utf-8", "ignore").strip() or "audio"
    return stem, path.suffix.lower()
