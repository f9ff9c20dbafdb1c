"""Makes one backup: every table in one snapshot, then what is known of the audio, into one file."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from gateway_api.adapters.audio_storage import AudioStorage
from gateway_api.db import Connection, Pool, transaction
from gateway_api.features.backup import store
from gateway_api.features.backup.archive import AUDIO, ArchiveWriter, table_member
from gateway_api.features.backup.checksums import list_file_states
from gateway_api.features.backup.models import AudioFile, AudioInBackup, Manifest, TableInBackup

_BUFFER = 1024**2


class OnProgress(Protocol):
    def __call__(self, stage: str, progress: float) -> None: ...


async def make_backup(
    path: Path, *, db: Pool, storage: AudioStorage, with_checksums: bool, on_progress: OnProgress
) -> Manifest:
    """Write the backup to a path. What changes meanwhile is wholly in it or not at all."""
    with ArchiveWriter(path) as archive:
        async with transaction(db) as conn:
            await store.hold_snapshot(conn)
            columns = await store.list_tables(conn)
            tables = []
            for number, (table, names) in enumerate(columns.items()):
                on_progress(f"table {table}", 0.5 * number / len(columns))
                tables.append(await _write_table(archive, conn, table, names))
            sequences = await store.list_sequences(conn, columns)
            migrations = await store.list_migrations(conn)
            audio_paths = await store.list_audio_paths(conn)
            created_at = datetime.now(UTC)
        in_backup = await _write_audio(
            archive,
            audio_paths,
            db=db,
            storage=storage,
            with_checksums=with_checksums,
            on_progress=on_progress,
        )
        manifest = Manifest(
            created_at=created_at,
            made_by=f"gateway-api {version('gateway-api')}",
            migrations=migrations,
            tables=tables,
            sequences=sequences,
            audio=in_backup,
        )
        await asyncio.to_thread(archive.finish, manifest)
    return manifest


async def _write_table(
    archive: ArchiveWriter, conn: Connection, table: str, columns: list[str]
) -> TableInBackup:
    member = archive.member(table_member(table))
    rows = 0
    buffer = bytearray()
    async with aclosing(store.copy_out(conn, table, columns)) as lines:
        async for line in lines:
            rows += 1
            buffer += line
            if len(buffer) >= _BUFFER:
                await asyncio.to_thread(member.write, bytes(buffer))
                buffer.clear()
    await asyncio.to_thread(member.write, bytes(buffer))
    return TableInBackup(name=table, columns=columns, rows=rows, sha256=member.close())


async def _write_audio(
    archive: ArchiveWriter,
    paths: list[str],
    *,
    db: Pool,
    storage: AudioStorage,
    with_checksums: bool,
    on_progress: OnProgress,
) -> AudioInBackup:
    member = archive.member(AUDIO)
    totals = {"files": 0, "bytes": 0, "missing": 0, "without_checksum": 0}
    states = list_file_states(paths, db=db, storage=storage, read_unknown=with_checksums)
    async with aclosing(states):
        async for state in states:
            on_progress("audio checksums", 0.5 + 0.5 * totals["files"] / len(paths))
            totals["files"] += 1
            totals["bytes"] += state.size or 0
            totals["missing"] += state.size is None
            totals["without_checksum"] += state.size is not None and state.sha256 is None
            line = AudioFile(path=state.path, size=state.size, sha256=state.sha256).model_dump_json()
            member.write(line.encode() + b"\n")
    return AudioInBackup(**totals, sha256=member.close())
