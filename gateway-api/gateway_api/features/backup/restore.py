"""The way back: says what a backup would change, and puts it in place of what is there, or nothing.

The schema is built anew as it was when the backup was made, filled, and migrated forward, all in one
transaction: whoever is killed in the middle of it leaves the database as it was.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

from dj_servicekit.errors import Conflict
from gateway_api.adapters.audio_storage import AudioStorage
from gateway_api.db import Pool, transaction
from gateway_api.features.backup import store
from gateway_api.features.backup.archive import ArchiveReader
from gateway_api.features.backup.checksums import list_file_states
from gateway_api.features.backup.models import (
    AudioChange,
    AudioFile,
    Manifest,
    RestoreReport,
    TableChange,
    TableInBackup,
)
from gateway_api.features.friends.store import ensure_friend
from gateway_api.features.queue.store import forget_enqueued
from migrations.migrate import Migration, read_migrations

_MOST_EXAMPLES = 20


async def plan_restore(
    archive: ArchiveReader, *, db: Pool, storage: AudioStorage, row_by_row: bool
) -> RestoreReport:
    """What a restore would change. Reads all of the backup, and changes nothing. ``row_by_row`` also says
    which rows are other ones, which takes about as long as the restore."""
    manifest = archive.manifest
    _, later = _split(manifest)
    await asyncio.to_thread(archive.verify)
    plan = _compare if row_by_row else _count
    tables = [await plan(archive, table, db) for table in manifest.tables]
    return RestoreReport(
        name=archive.name,
        made_at=manifest.created_at,
        made_by=manifest.made_by,
        restored=False,
        migrations_to_apply=[migration.name for migration in later],
        tables=tables,
        audio=await _plan_audio(archive, db=db, storage=storage),
    )


async def restore(archive: ArchiveReader, *, db: Pool, default_username: str) -> None:
    """Put the backup in place of everything. The archive has been verified."""
    manifest = archive.manifest
    earlier, later = _split(manifest)
    async with transaction(db) as conn:
        await store.begin_rebuild(conn)
        try:
            await store.drop_everything(conn)
            for migration in earlier:
                await store.apply_migration(conn, migration)
            names = [table.name for table in manifest.tables]
            await store.set_triggers(conn, names, enabled=False)
            for table in manifest.tables:
                async with aclosing(_in_threads(archive.table_chunks(table.name))) as chunks:
                    await store.copy_in(conn, table.name, table.columns, chunks)
            await store.set_triggers(conn, names, enabled=True)
            for sequence in manifest.sequences:
                await store.set_sequence(conn, sequence)
            for migration in later:
                await store.apply_migration(conn, migration)
        except store.REFUSED_BY_POSTGRES as exc:
            raise _unfit(archive, exc) from exc
        await store.write_ledger(conn, [*earlier, *later])
        await ensure_friend(conn, default_username)
        # The queue may know nothing of the jobs that are here now.
        await forget_enqueued(conn)


def _split(manifest: Manifest) -> tuple[list[Migration], list[Migration]]:
    """The migrations that the backup has, and those that this version has beyond it."""
    ours = read_migrations()
    theirs = manifest.migrations
    for mine, other in zip(ours, theirs, strict=False):
        if (mine.name, mine.checksum) != (other.name, other.checksum):
            raise Conflict(
                f"The backup was made by another version: it has {other.name} where this "
                f"one has {mine.name}. Restore it with the version that made it."
            )
    if len(theirs) > len(ours):
        raise Conflict(
            f"The backup was made by a newer version ({manifest.made_by}, {theirs[-1].name}). "
            "Update first, then restore."
        )
    return ours[: len(theirs)], ours[len(theirs) :]


async def _compare(archive: ArchiveReader, table: TableInBackup, db: Pool) -> TableChange:
    async with transaction(db) as conn, aclosing(_in_threads(archive.table_chunks(table.name))) as chunks:
        try:
            return await store.compare_table(conn, table.name, table.columns, chunks)
        except store.REFUSED_BY_POSTGRES as exc:
            raise _unfit(archive, exc) from exc


async def _count(_archive: ArchiveReader, table: TableInBackup, db: Pool) -> TableChange:
    async with transaction(db) as conn:
        now = await store.count_rows(conn, table.name)
    return TableChange(table=table.name, rows_now=now, rows_after=table.rows)


async def _plan_audio(archive: ArchiveReader, *, db: Pool, storage: AudioStorage) -> AudioChange:
    files: list[AudioFile] = await asyncio.to_thread(lambda: list(archive.audio_files()))
    change = AudioChange(files=len(files), present=0, missing=0, different=0, examples=[])
    states = list_file_states([file.path for file in files], db=db, storage=storage, read_unknown=False)
    wanted = iter(files)
    async with aclosing(states):
        async for state in states:
            file = next(wanted)
            checksums = {file.sha256, state.sha256} - {None}
            if state.size is None:
                change.missing += 1
            elif file.size is not None and (state.size != file.size or len(checksums) > 1):
                change.different += 1
            else:
                change.present += 1
                continue
            if len(change.examples) < _MOST_EXAMPLES:
                change.examples.append(file.path)
    return change


async def _in_threads(chunks: Iterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Chunks that are read and unpacked off the event loop."""
    while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
        yield chunk


def _unfit(archive: ArchiveReader, exc: Exception) -> Conflict:
    reason = str(exc).partition("\n")[0]
    return Conflict(f"{archive.name} does not fit the schema it names, and nothing was changed: {reason}")
