"""Ask for audio, say how a collection likes it, and find what it has already."""

import asyncio
import uuid
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from dj_contracts.downloads import Fingerprint, FingerprintAnswer, FingerprintQuestion, SameSound, SourceName
from dj_contracts.errors import ErrorCode
from dj_contracts.jobs import DownloadPayload, Job, JobKind
from dj_servicekit.errors import Forbidden, Malformed, NotFound
from gateway_api.adapters.audio_folders import AudioFolders
from gateway_api.db import Connection, Pool, transaction
from gateway_api.features.downloads import store
from gateway_api.features.downloads.fingerprints import (
    SAME_AT_LEAST,
    keys_of,
    length_slack_seconds,
    similarity,
    unpack,
)
from gateway_api.features.downloads.models import DownloadPreferences, DownloadRequest, StoredFingerprint
from gateway_api.features.jobs import store as jobs_store
from gateway_api.features.jobs.models import JobRow
from gateway_api.features.jobs.usecases import announce
from gateway_api.features.tracks import store as tracks_store
from gateway_api.features.tracks.usecases import track_not_found
from gateway_api.host_limits import HostLimits
from gateway_api.preconditions import require_match
from gateway_api.services import Services

_MOST_COMPARED = 20
# What the worker searches unless SEARCH_LINKS says otherwise.
_SEARCHED = "https://www.youtube.com/"


async def request_download(username: str, track_id: str, request: DownloadRequest, services: Services) -> Job:
    if request.file is not None:
        await asyncio.to_thread(_require_own_file, username, request.file, services.audio)
    async with transaction(services.db) as conn:
        if await tracks_store.find_track(conn, username, track_id) is None:
            raise track_not_found(track_id)
        wishes, _ = await store.find_preferences(conn, username)
        payload = make_payload(request, wishes)
        rows = await insert_download(conn, username, track_id, payload, services.queue.host_limits)
    await announce(rows, db=services.db, queue=services.queue, events=services.events)
    return rows[0].to_job()


def make_payload(request: DownloadRequest, wishes: DownloadPreferences) -> DownloadPayload:
    """What is not said is as the collection prefers it; what is named is not replaced by something else."""
    named = request.url is not None or request.file is not None
    return DownloadPayload(
        url=request.url,
        file=request.file,
        sources=request.sources or ([] if named else wishes.sources),
        format=request.format or wishes.format,
        write_tags=wishes.write_tags if request.write_tags is None else request.write_tags,
        duration_seconds=request.duration_seconds,
        any_length=request.any_length,
        allow_duplicate=request.allow_duplicate,
    )


async def request_upload(username: str, track_id: str, staged: str, services: Services) -> Job:
    """A job for a file that lies in ``.uploads``: it is verified like a download."""
    async with transaction(services.db) as conn:
        if await tracks_store.find_track(conn, username, track_id) is None:
            raise track_not_found(track_id)
        wishes, _ = await store.find_preferences(conn, username)
        request = DownloadRequest(file=staged, sources=[SourceName.UPLOAD], any_length=True)
        rows = await insert_download(
            conn, username, track_id, make_payload(request, wishes), services.queue.host_limits
        )
    await announce(rows, db=services.db, queue=services.queue, events=services.events)
    return rows[0].to_job()


async def insert_download(
    conn: Connection, username: str, track_id: str, payload: DownloadPayload, limits: HostLimits
) -> list[JobRow]:
    """A link counts at its host, and a search where searches ask."""
    asks = payload.url or (_SEARCHED if SourceName.SEARCH in payload.sources else None)
    said = {"kind": JobKind.DOWNLOAD, **payload.model_dump(mode="json", exclude_defaults=True)}
    return await jobs_store.insert_track_jobs(
        conn,
        username,
        JobKind.DOWNLOAD,
        [(uuid.uuid4().hex, track_id, said)],
        hosts=[limits.host_of(asks)],
    )


async def get_preferences(db: Pool, username: str) -> tuple[DownloadPreferences, datetime]:
    async with transaction(db) as conn:
        return await store.find_preferences(conn, username)


async def set_preferences(
    db: Pool, username: str, wishes: DownloadPreferences, if_match: str | None = None
) -> datetime:
    """When they changed."""
    async with transaction(db) as conn:
        await store.lock_preferences(conn, username)
        _, changed = await store.find_preferences(conn, username)
        require_match(if_match, changed)
        return await store.save_preferences(conn, username, wishes)


async def find_same_sound(db: Pool, question: FingerprintQuestion) -> FingerprintAnswer:
    """Is this recording in the collection already, under another track?"""
    fingerprint = question.fingerprint
    matches = await _alike(db, question.username, question.track_id, fingerprint)
    return FingerprintAnswer(matches=matches)


async def list_duplicates(db: Pool, username: str, track_id: str) -> list[SameSound]:
    """Other tracks of the collection whose files hold the same recording."""
    async with transaction(db) as conn:
        if await tracks_store.find_track(conn, username, track_id) is None:
            raise track_not_found(track_id)
        stored = await store.find_fingerprint(conn, username, track_id)
    if stored is None:
        raise NotFound("It is not known what this track sounds like: it has no audio, or was not analysed.")
    items = list(unpack(stored.items))
    fingerprint = Fingerprint(items=items, duration_seconds=stored.duration_seconds)
    return await _alike(db, username, track_id, fingerprint)


async def _alike(db: Pool, username: str, track_id: str, fingerprint: Fingerprint) -> list[SameSound]:
    if not (keys := keys_of(fingerprint.items)):
        return []
    async with transaction(db) as conn:
        near = await store.list_alike(
            conn,
            username,
            track_id,
            keys,
            duration_seconds=fingerprint.duration_seconds,
            within_seconds=length_slack_seconds(fingerprint.duration_seconds),
            limit=_MOST_COMPARED,
        )
    return await asyncio.to_thread(_compare, fingerprint.items, near)


def _compare(items: Sequence[int], near: list[StoredFingerprint]) -> list[SameSound]:
    compared = ((similarity(items, unpack(one.items)), one) for one in near)
    same = [
        SameSound(track_id=one.track_id, title=one.title, artist=one.artist, similarity=round(score, 3))
        for score, one in compared
        if score >= SAME_AT_LEAST
    ]
    return sorted(same, key=lambda one: -one.similarity)


def _require_own_file(username: str, file: str, audio: AudioFolders) -> None:
    """A music folder is everybody's; below the audio folder each collection has its own part."""
    try:
        path = audio.locate(file)
    except (OSError, ValueError) as exc:
        raise Malformed(f"{file!r} is no path of a file here.") from exc
    if path.is_relative_to(audio.managed) and not path.is_relative_to(audio.managed / username):
        raise Forbidden("This file belongs to another collection.", code=ErrorCode.FORBIDDEN)


def staged_name(suffix: str) -> Path:
    """Where an upload waits for its job, below the audio folder."""
    return Path(".uploads") / f"{uuid.uuid4().hex}{suffix}"
