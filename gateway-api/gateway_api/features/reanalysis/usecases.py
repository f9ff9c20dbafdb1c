"""A re-analysis: asked for, and taken a step further.

It keeps a hundred or so analyses in the queue, behind everything that a person waits for, and adds more as
they end. Where it stands is in its row, so a gateway that is killed goes on where it was.
"""

import uuid

from dj_contracts.jobs import AnalyzePayload, Job
from gateway_api.db import Connection, transaction
from gateway_api.features.jobs.models import JobRow
from gateway_api.features.jobs.usecases import announce
from gateway_api.features.reanalysis import store
from gateway_api.services import Services

_OPEN_AT_ONCE = 100
_PAGE = 100


async def request_reanalysis(username: str, services: Services, *, only_missing: bool, outdated: bool) -> Job:
    async with transaction(services.db) as conn:
        version = await store.find_latest_version(conn) if outdated else None
        row = await store.insert_reanalysis(
            conn, uuid.uuid4().hex, username, only_missing=only_missing, version=version
        )
    await services.events.publish(row.to_event())
    return row.to_job()


async def advance_all(services: Services) -> None:
    async with transaction(services.db) as conn:
        open_ones = await store.list_open_reanalyses(conn)
    for job_id in open_ones:
        await _advance(job_id, services)


async def _advance(job_id: str, services: Services) -> None:
    """One step is one transaction: the new jobs, and how far the batch has come."""
    async with transaction(services.db) as conn:
        if (batch := await store.hold_reanalysis(conn, job_id)) is None:
            return
        changed = await _step(batch, conn)
    # The batch itself is for the gateway, so of these only the analyses are handed over.
    await announce(changed, db=services.db, queue=services.queue, events=services.events)


async def _step(batch: JobRow, conn: Connection) -> list[JobRow]:
    place, seen = str(batch.payload["after"]), int(batch.payload["seen"])
    members = await store.count_members(conn, batch.id)
    added: list[JobRow] = []
    if members.open < _OPEN_AT_ONCE:
        files = await store.list_tracks_after(
            conn,
            batch.username,
            place,
            only_missing=bool(batch.payload["only_missing"]),
            version=batch.payload.get("version"),
            limit=_PAGE,
        )
        if not files and members.open == 0:
            done = await store.complete_reanalysis(conn, batch.id, tracks=seen, failed=members.failed)
            return [done] if done else []
        jobs = [
            (uuid.uuid4().hex, track_id, AnalyzePayload(audio_path=path).model_dump(mode="json"))
            for track_id, path in files
        ]
        added = await store.insert_members(conn, batch, jobs)
        place, seen = (files[-1][0] if files else place), seen + len(files)
    over = seen - members.open - len(added)
    total = max(int(batch.payload["total"]), seen)
    stage = f"{over} of {total} tracks"
    if stage == batch.stage and seen == batch.payload["seen"]:
        await store.save_heartbeat(conn, batch.id)
        return added
    progress = 100 * over / total if total else 100
    shown = await store.save_step(conn, batch.id, after=place, seen=seen, progress=progress, stage=stage)
    return [*added, *([shown] if shown else [])]
