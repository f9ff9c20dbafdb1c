"""A scan: walk a folder, add what is new, queue the analysis of what is new or changed.

Files are attached in place and never touched. Each batch is committed by itself, so a scan that
is killed goes on where it was: what is in the collection already counts as unchanged.
"""

import asyncio
import hashlib
import uuid
from itertools import islice
from pathlib import Path

from dj_contracts.errors import ErrorCode
from dj_contracts.jobs import Job, JobPriority
from dj_servicekit.errors import Forbidden, NotFound, ServiceError
from dj_servicekit.logs import log
from gateway_api.db import transaction
from gateway_api.features.jobs import store as jobs_store
from gateway_api.features.jobs.models import JobRow
from gateway_api.features.jobs.usecases import add_analysis_jobs, announce
from gateway_api.features.scan import store
from gateway_api.features.scan.models import MissingFile, PassedOverFile, ScanSummary
from gateway_api.features.scan.tags import read_tags
from gateway_api.features.scan.walk import FoundFile, PassedOver, walk_audio
from gateway_api.services import Services

_BATCH = 100
_LOOK_AHEAD = 2000
_MOST_REPORTED = 1000


async def request_scan(username: str, path: str, services: Services) -> Job:
    """Queue a scan, or answer the open one of the same folder."""
    folder = await asyncio.to_thread(_check_folder, path, username, services)
    async with transaction(services.db) as conn:
        row = await jobs_store.insert_scan(conn, uuid.uuid4().hex, username, str(folder))
    await services.events.publish(row.to_event())
    return row.to_job()


async def run_scan(job: JobRow, services: Services) -> None:
    """Do a claimed scan to its end, whatever the end is."""
    try:
        folder = await asyncio.to_thread(_check_folder, str(job.payload["path"]), job.username, services)
        summary = await _scan(job, folder, services)
    except ServiceError as exc:
        await _end(job, services, failure=(exc.code, exc.detail))
    except OSError as exc:
        await _end(job, services, failure=(ErrorCode.FILE_UNREADABLE, f"The folder cannot be read: {exc}."))
    else:
        if summary is not None:
            await _end(job, services, summary=summary)


async def _scan(job: JobRow, folder: Path, services: Services) -> ScanSummary | None:
    """None when the scan was cancelled or handed to somebody else meanwhile."""
    entries: list[FoundFile | PassedOver] = []
    walk = walk_audio(folder)
    while more := await asyncio.to_thread(lambda: list(islice(walk, _LOOK_AHEAD))):
        entries += more
        if not await _pulse(job, services, 0, f"{len(entries)} files seen"):
            return None
    summary = ScanSummary(found=len(entries))
    for start in range(0, len(entries), _BATCH):
        batch = entries[start : start + _BATCH]
        await _take(job.username, batch, summary, services)
        done = start + len(batch)
        if not await _pulse(job, services, 100 * done / len(entries), f"{done} of {len(entries)} files"):
            return None
    await _note_missing(job.username, folder, entries, summary, services)
    return summary


async def _note_missing(
    username: str,
    folder: Path,
    entries: list[FoundFile | PassedOver],
    summary: ScanSummary,
    services: Services,
) -> None:
    """What was moved, renamed or deleted. The tracks stay as they are: a disk may only be unplugged."""
    stored = services.audio.stored_path
    seen = [stored(Path(entry.path)) for entry in entries]
    async with transaction(services.db) as conn:
        missing = await store.list_missing(conn, username, f"{stored(folder).rstrip('/')}/", seen)
    summary.missing = len(missing)
    summary.missing_files = [MissingFile(track_id=one, path=path) for one, path in missing[:_MOST_REPORTED]]


async def _pulse(job: JobRow, services: Services, progress: float, stage: str) -> bool:
    """Show progress; False when the scan is no longer ours."""
    async with transaction(services.db) as conn:
        row = await jobs_store.save_pulse(conn, job.id, job.attempts, progress, stage)
    if row is not None:
        await services.events.publish(row.to_event())
    return row is not None


async def _take(
    username: str, batch: list[FoundFile | PassedOver], summary: ScanSummary, services: Services
) -> None:
    for entry in batch:
        if isinstance(entry, PassedOver) and len(summary.passed_over) < _MOST_REPORTED:
            summary.passed_over.append(PassedOverFile(path=entry.path, reason=entry.reason))
    found = {services.audio.stored_path(entry.path): entry for entry in batch if isinstance(entry, FoundFile)}
    async with transaction(services.db) as conn:
        files = await store.list_known_files(conn, username, list(found), [*map(track_id_of, found)])
    by_path, by_id = {file.audio_path: file for file in files}, {file.track_id: file for file in files}
    fresh: dict[str, FoundFile] = {}
    for audio_path, entry in found.items():
        file = by_path.get(audio_path) or by_id.get(track_id_of(audio_path))
        if file is None:
            summary.added += 1
            fresh[audio_path] = entry
        elif file.deleted:
            summary.in_trash += 1
        elif file.audio_path != audio_path or file.is_still(entry.size, entry.mtime_ns):
            # The first: the track has other audio by now, as after a download. That choice stands.
            summary.unchanged += 1
        else:
            summary.changed += 1
            fresh[audio_path] = entry
    if not fresh:
        return
    known_ids = {path: file.track_id for path, file in by_path.items() if path is not None}
    read = await asyncio.to_thread(_read, fresh, known_ids)
    async with transaction(services.db) as conn:
        await store.save_files(conn, username, read)
        to_measure = [(file.track_id, file.audio_path) for file in read]
        rows = await add_analysis_jobs(conn, username, to_measure, priority=JobPriority.BATCH)
    await announce(rows, db=services.db, queue=services.queue, events=services.events)


def _read(fresh: dict[str, FoundFile], known_ids: dict[str, str]) -> list[store.NewFile]:
    return [
        store.NewFile(
            track_id=known_ids.get(audio_path) or track_id_of(audio_path),
            audio_path=audio_path,
            size=entry.size,
            mtime_ns=entry.mtime_ns,
            tags=read_tags(entry.path),
        )
        for audio_path, entry in fresh.items()
    ]


def track_id_of(audio_path: str) -> str:
    """The id of a file's track: the same file scanned twice, even at once, is one track."""
    return f"file-{hashlib.sha256(audio_path.encode()).hexdigest()[:20]}"


async def _end(
    job: JobRow,
    services: Services,
    *,
    summary: ScanSummary | None = None,
    failure: tuple[ErrorCode, str] | None = None,
) -> None:
    async with transaction(services.db) as conn:
        if failure is not None:
            row = await jobs_store.fail_job(conn, job.id, job.attempts, *failure)
        else:
            result = summary.model_dump(mode="json") if summary else {}
            row = await jobs_store.complete_job(conn, job.id, job.attempts, result)
    if row is not None:
        log.info("scan_ended", job_id=job.id, state=row.state)
        await services.events.publish(row.to_event())


def _check_folder(path: str, username: str, services: Services) -> Path:
    if "\x00" in path:
        raise NotFound("There is no such folder.")
    folder = Path(path).resolve()
    if not services.audio.contains(folder):
        raise Forbidden("Only a folder inside AUDIO_DIR or MUSIC_DIRS can be scanned. Add it to MUSIC_DIRS.")
    if not _is_open_to(username, folder, services):
        raise Forbidden(f"Below the audio folder only {username}'s own part can be scanned for {username}.")
    if not folder.is_dir():
        raise NotFound(f"There is no folder {path!r}.", code=ErrorCode.FILE_MISSING)
    return folder


def _is_open_to(username: str, path: Path, services: Services) -> bool:
    """Music folders are everybody's; below the managed folder each collection has a part of its own."""
    managed = services.audio.managed
    return not path.is_relative_to(managed) or path.is_relative_to(managed / username)
