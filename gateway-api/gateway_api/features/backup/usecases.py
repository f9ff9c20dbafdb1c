"""Ask for backups, see, fetch, bring and delete them, and restore one."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from dj_servicekit.errors import Conflict, NotFound, TooLarge, UpstreamFailed
from dj_servicekit.logs import log
from gateway_api.adapters.backup_folder import BackupFolder, Finished, Reason, Run
from gateway_api.db import transaction
from gateway_api.features.backup import store
from gateway_api.features.backup.archive import ArchiveReader
from gateway_api.features.backup.make import OnProgress, make_backup
from gateway_api.features.backup.models import Backup, BackupList, Manifest, RestoreReport
from gateway_api.features.backup.restore import plan_restore, restore
from gateway_api.services import Services

_POLL_SECONDS = 0.2


async def request_backup(services: Services, *, reason: Reason, with_checksums: bool = True) -> Backup:
    """Ask for a backup; one that is waited for already is answered instead of a second."""
    folder = services.backups
    folder.require_space()
    for run in folder.list_runs():
        if run.state == "waiting" and run.with_checksums == with_checksums:
            return _of_run(run)
    run = Run(folder.new_name(reason), reason, "waiting", with_checksums)
    folder.save_run(run)
    return _of_run(run)


async def await_backup(folder: BackupFolder, name: str) -> Backup:
    """The finished backup, or the sentence that says why there is none."""
    # Polled: another process may be the one that makes it.
    while (backup := get_backup(folder, name)).state in ("waiting", "running"):  # noqa: ASYNC110
        await asyncio.sleep(_POLL_SECONDS)
    if backup.state == "failed":
        raise UpstreamFailed(f"The backup failed: {backup.error}")
    return backup


def list_backups(services: Services) -> BackupList:
    folder, settings = services.backups, services.settings
    runs = [_of_run(run) for run in folder.list_runs()]
    finished = [_of_file(one) for one in folder.list_finished()]
    return BackupList(
        backups=[*runs, *finished], every_hours=settings.backup_every_hours, keep=settings.backup_keep
    )


def get_backup(folder: BackupFolder, name: str) -> Backup:
    # A finished run is a file before its note is gone, so the file is looked for first.
    for one in folder.list_finished():
        if one.name == name:
            return _of_file(one)
    if (run := folder.find_run(name)) is not None:
        return _of_run(run)
    raise NotFound(f"There is no backup {name!r}. GET /api/backups lists those there are.")


def read_manifest(folder: BackupFolder, name: str) -> Manifest:
    with ArchiveReader(folder.get(name)) as archive:
        return archive.manifest


def delete_backup(folder: BackupFolder, name: str) -> None:
    run = folder.find_run(name)
    if run is not None and run.state == "running":
        raise Conflict("This backup is being made. Delete it when it is done.")
    if run is not None:
        folder.forget_run(name)
    if run is None or folder.find(name) is not None:
        folder.delete(name)


async def bring_backup(
    folder: BackupFolder, name: str, content: AsyncIterator[bytes], *, max_bytes: int
) -> Backup:
    """Take in a backup from elsewhere. It is seen in the folder only when it was read as a whole one."""
    folder.require_space()
    if folder.find(name) is not None:
        raise Conflict(f"There is a backup {name!r} already. Choose another name.")
    with folder.writing(name) as partial:
        size = 0
        with partial.open("wb") as file:
            async for chunk in content:
                if (size := size + len(chunk)) > max_bytes:
                    raise TooLarge("The backup is larger than MAX_UPLOAD_BYTES allows.")
                await asyncio.to_thread(file.write, chunk)
        await asyncio.to_thread(_verify, partial)
    return get_backup(folder, name)


async def run_backup(services: Services, run: Run) -> None:
    """Make a backup that was asked for, and keep count of how far it is."""
    folder = services.backups
    shown = 0.0

    def note(stage: str, progress: float) -> None:
        nonlocal shown
        if progress - shown >= 0.01 or progress == 0:
            shown = progress
            folder.save_run(Run(run.name, run.reason, "running", run.with_checksums, stage, progress))

    with folder.alone():
        folder.remove_leftovers()
        await _write(services, run, note)


async def restore_backup(services: Services, name: str, *, dry_run: bool) -> RestoreReport:
    folder = services.backups
    path = folder.get(name)
    with ArchiveReader(path) as archive:
        if dry_run:
            return await plan_restore(archive, db=services.db, storage=services.storage, row_by_row=True)
        with folder.alone():
            report = await plan_restore(archive, db=services.db, storage=services.storage, row_by_row=False)
            async with transaction(services.db) as conn:
                has_tracks = await store.count_rows(conn, "tracks") > 0
            safety = await _keep_what_is_here(services) if has_tracks else None
            log.info("restore_started", backup=name, safety_backup=safety)
            await restore(archive, db=services.db, default_username=services.settings.default_username)
            log.info("restore_finished", backup=name)
    return report.model_copy(update={"restored": True, "safety_backup": safety})


def prune_scheduled(folder: BackupFolder, keep: int) -> None:
    """Delete the oldest scheduled ones beyond those to keep. What a person asked for stays."""
    scheduled = [one for one in folder.list_finished() if one.reason == "schedule"]
    for one in scheduled[keep:] if keep else []:
        folder.delete(one.name)
        log.info("backup_pruned", backup=one.name)


async def _keep_what_is_here(services: Services) -> str:
    name = services.backups.new_name("before-restore")
    await _write(services, Run(name, "before-restore", "running", False), lambda _stage, _progress: None)
    return name


async def _write(services: Services, run: Run, note: OnProgress) -> None:
    with services.backups.writing(run.name) as partial:
        manifest = await make_backup(
            partial,
            db=services.db,
            storage=services.storage,
            with_checksums=run.with_checksums,
            on_progress=note,
        )
    log.info(
        "backup_made",
        backup=run.name,
        rows=sum(table.rows for table in manifest.tables),
        audio_files=manifest.audio.files,
    )


def _verify(path: Path) -> None:
    with ArchiveReader(path) as archive:
        archive.verify()


def _of_run(run: Run) -> Backup:
    return Backup(
        name=run.name,
        reason=run.reason,
        state=run.state,
        stage=run.stage,
        progress=run.progress,
        error=run.error,
    )


def _of_file(one: Finished) -> Backup:
    return Backup(
        name=one.name,
        reason=one.reason,
        state="complete",
        created_at=one.created_at,
        size_bytes=one.size,
    )
