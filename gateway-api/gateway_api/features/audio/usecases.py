"""Uploads become files and tracks; a stream is found for whoever may hear it."""

import asyncio
import hashlib
import re
import shutil
import unicodedata
import uuid
from pathlib import Path
from typing import BinaryIO

from dj_contracts.errors import ErrorCode
from dj_contracts.jobs import Job
from dj_contracts.tracks import Track
from dj_servicekit.errors import Malformed, NotAudio, NotFound, ServiceError
from gateway_api.adapters.audio_folders import AudioFolders
from gateway_api.db import Pool, transaction
from gateway_api.features.audio import store
from gateway_api.features.downloads.usecases import request_upload, staged_name
from gateway_api.features.jobs.usecases import add_analysis_jobs, announce
from gateway_api.features.scan.store import NewFile, list_known_files, save_files
from gateway_api.features.scan.tags import FileTags, read_tags
from gateway_api.features.scan.usecases import track_id_of
from gateway_api.features.scan.walk import AUDIO_SUFFIXES
from gateway_api.features.tracks import store as tracks_store
from gateway_api.features.tracks.usecases import track_not_found
from gateway_api.services import Services

_CHUNK = 1024**2


async def upload_track(username: str, name: str, content: BinaryIO, services: Services) -> tuple[Track, bool]:
    """Keep an uploaded file and make its track; the same content again is the same track.

    The file is complete on disk before the row names it. Returns whether the track is new.
    """
    audio_path, size, tags = await asyncio.to_thread(_keep, username, name, content, services.audio)
    path = services.audio.locate(audio_path)
    mtime_ns = path.stat().st_mtime_ns
    async with transaction(services.db) as conn:
        known = await list_known_files(conn, username, [audio_path], [track_id_of(audio_path)])
        rows = []
        if known:
            track_id = known[0].track_id
            await store.restore_track(conn, username, track_id)
        else:
            track_id = track_id_of(audio_path)
            await save_files(conn, username, [NewFile(track_id, audio_path, size, mtime_ns, tags)])
            rows = await add_analysis_jobs(conn, username, [(track_id, audio_path)])
        track = await tracks_store.find_track(conn, username, track_id)
    await announce(rows, db=services.db, queue=services.queue, events=services.events)
    if track is None:
        raise track_not_found(track_id)
    return track.to_track(), not known


async def upload_for_track(
    username: str, track_id: str, name: str, content: BinaryIO, services: Services
) -> Job:
    """Keep the file aside until a job has verified it; only then does the track have it."""
    staged = await asyncio.to_thread(_stage, name, content, services.audio)
    try:
        return await request_upload(username, track_id, staged, services)
    except ServiceError:
        await asyncio.to_thread((services.audio.managed / staged).unlink)
        raise


async def locate_by_name(db: Pool, username: str, audio_path: str, audio: AudioFolders) -> Path:
    """The file of a track of this collection. A path that no track has is not served, wherever it lies."""
    async with transaction(db) as conn:
        if "\x00" in audio_path or not await store.has_audio_path(conn, username, audio_path):
            raise NotFound("No track of this collection has that file.", code=ErrorCode.FILE_MISSING)
    return audio.locate(audio_path)


async def locate_by_track(db: Pool, username: str, track_id: str, audio: AudioFolders) -> Path:
    async with transaction(db) as conn:
        track = await tracks_store.find_track(conn, username, track_id)
    if track is None:
        raise track_not_found(track_id)
    if track.audio_path is None:
        raise NotFound("This track has no audio yet.", code=ErrorCode.FILE_MISSING)
    return audio.locate(track.audio_path)


def _stage(name: str, content: BinaryIO, audio: AudioFolders) -> str:
    suffix = _require_audio_suffix(name)
    audio.require_space()
    staged = audio.managed / staged_name(suffix)
    staged.parent.mkdir(exist_ok=True)
    try:
        with staged.open("xb") as file:
            shutil.copyfileobj(content, file, _CHUNK)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise
    if staged.stat().st_size == 0:
        staged.unlink()
        raise Malformed("The uploaded file is empty.", code=ErrorCode.FILE_EMPTY)
    return str(staged.relative_to(audio.managed))


def _require_audio_suffix(name: str) -> str:
    suffix = safe_file_name(name)[1]
    if suffix not in AUDIO_SUFFIXES:
        raise NotAudio(f"{name!r} does not end like an audio file ({' '.join(sorted(AUDIO_SUFFIXES))}).")
    return suffix


def _keep(username: str, name: str, content: BinaryIO, audio: AudioFolders) -> tuple[str, int, FileTags]:
    """Copy into the audio folder under a name made of the content; returns path, size and tags."""
    stem, suffix = safe_file_name(name)[0], _require_audio_suffix(name)
    audio.require_space()
    incoming = audio.managed / ".incoming"
    incoming.mkdir(exist_ok=True)
    partial = incoming / f"upload-{uuid.uuid4().hex}{suffix}"
    digest = hashlib.sha256()
    size = 0
    try:
        with partial.open("wb") as file:
            while chunk := content.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                file.write(chunk)
        if size == 0:
            raise Malformed("The uploaded file is empty.", code=ErrorCode.FILE_EMPTY)
        tags = read_tags(partial, f"{stem}{suffix}")
        audio_path = f"{username}/uploads/{digest.hexdigest()[:20]}-{stem}{suffix}"
        if not (audio.managed / audio_path).exists():
            audio.place(partial, audio_path)
    finally:
        partial.unlink(missing_ok=True)
    return audio_path, size, tags


def safe_file_name(name: str) -> tuple[str, str]:
    """(stem, suffix) of a name from outside: readable, and with nothing that a path could mean."""
    base = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    base = base.encode("utf-8", "ignore").decode()
    base = "".join(" " if not c.isprintable() or c in '<>:"|?*' else c for c in base).strip(". ")
    path = Path(base or "audio")
    # 255 bytes is what file systems take for a name; the digest in front of it has 21.
    stem = path.stem.encode()[:200].decode("utf-8", "ignore").strip() or "audio"
    return stem, path.suffix.lower()
