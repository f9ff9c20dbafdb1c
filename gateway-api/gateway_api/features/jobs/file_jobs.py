"""Asking for jobs on the files that tracks have: their length, the covers in their tags."""

import uuid

from dj_contracts.jobs import CoverArtPayload, DurationPayload, Job, JobKind
from dj_servicekit.errors import Conflict, NotFound
from gateway_api.db import Connection, transaction
from gateway_api.features.jobs import store
from gateway_api.features.jobs.models import JobRow
from gateway_api.features.jobs.usecases import announce
from gateway_api.features.tracks import store as tracks_store
from gateway_api.features.tracks.usecases import track_not_found
from gateway_api.services import Services


async def request_duration_fix(username: str, track_id: str, services: Services) -> Job:
    async with transaction(services.db) as conn:
        row = await add_duration_fix(conn, uuid.uuid4().hex, username, track_id)
    return await _announced(row, services)


async def request_cover(username: str, track_id: str, services: Services) -> Job:
    async with transaction(services.db) as conn:
        row = await add_cover(conn, uuid.uuid4().hex, username, track_id)
    return await _announced(row, services)


async def request_album_cover(username: str, release_id: str, services: Services) -> Job:
    async with transaction(services.db) as conn:
        row = await add_album_cover(conn, uuid.uuid4().hex, username, release_id)
    return await _announced(row, services)


async def add_duration_fix(conn: Connection, job_id: str, username: str, track_id: str) -> JobRow:
    payload = DurationPayload(audio_path=await _audio_of(conn, username, track_id))
    return await _add(conn, job_id, username, track_id, JobKind.FIX_DURATION, payload)


async def add_cover(conn: Connection, job_id: str, username: str, track_id: str) -> JobRow:
    payload = CoverArtPayload(audio_paths=[await _audio_of(conn, username, track_id)])
    return await _add(conn, job_id, username, track_id, JobKind.COVER_ART, payload)


async def add_album_cover(conn: Connection, job_id: str, username: str, release_id: str) -> JobRow:
    """It stands under the first of the release's tracks that has a file, and counts for all of them."""
    files = await store.list_release_files(conn, username, release_id)
    if not files:
        raise NotFound(f"No track of release {release_id!r} has audio in this collection.")
    payload = CoverArtPayload(kind=JobKind.ALBUM_COVER_ART, audio_paths=[path for _, path in files])
    return await _add(conn, job_id, username, files[0][0], JobKind.ALBUM_COVER_ART, payload)


async def _audio_of(conn: Connection, username: str, track_id: str) -> str:
    if (track := await tracks_store.find_track(conn, username, track_id)) is None:
        raise track_not_found(track_id)
    if track.audio_path is None:
        raise Conflict("This track has no audio. Upload a file or start a download first.")
    return str(track.audio_path)


async def _add(
    conn: Connection,
    job_id: str,
    username: str,
    track_id: str,
    kind: JobKind,
    payload: DurationPayload | CoverArtPayload,
) -> JobRow:
    job = (job_id, track_id, payload.model_dump(mode="json"))
    return (await store.insert_track_jobs(conn, username, kind, [job]))[0]


async def _announced(row: JobRow, services: Services) -> Job:
    await announce([row], db=services.db, queue=services.queue, events=services.events)
    return row.to_job()
