"""Keeps the search index at what Postgres says: changes from the outbox, and full builds beside them.

An entry says that a track changed, not how: what is sent is the track as it is now. So entries may be
sent twice, and a build may run beside live writes: both are steps of one loop, a page of the build is
sent before any change made after it was read, and a change goes to both indexes.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from dj_servicekit.errors import Conflict
from dj_servicekit.logs import log
from gateway_api.adapters.meilisearch.form import FINGERPRINT, document_id, encode
from gateway_api.adapters.meilisearch.index import IndexRefused, MeilisearchIndex
from gateway_api.db import Connection, Pool, reading, transaction
from gateway_api.features.indexing import store
from gateway_api.features.indexing.models import IndexRow, IndexStatus
from gateway_api.search_port import EngineAway
from gateway_api.services import Services

_MOST_ENTRIES = 1000
_PAGE = 2000


async def get_status(services: Services) -> IndexStatus:
    if services.index is None:
        return IndexStatus(engine="postgres")
    async with transaction(services.db) as conn:
        row = await store.find_index(conn, services.index.name)
        waiting, lag_seconds = await store.measure_lag(conn)
    return IndexStatus(
        engine="meilisearch",
        built_at=row.built_at if row else None,
        building_since=row.next_since if row else None,
        waiting=waiting,
        lag_seconds=lag_seconds,
    )


async def request_rebuild(services: Services) -> IndexStatus:
    """Have the index built anew; the one that answers goes on until the new one takes its place."""
    if services.index is None:
        raise Conflict("There is no search engine: search runs on Postgres. Set MEILI_URL for one.")
    async with transaction(services.db) as conn:
        await store.outdate_build(conn, services.index.name)
    return await get_status(services)


class IndexKeeper:
    """Takes one step after the other. Sends less at once after a refusal, until what is refused stands
    alone; that is tried again for ever, behind the others."""

    def __init__(self, db: Pool, index: MeilisearchIndex) -> None:
        self._db, self._index = db, index
        self._next_name = f"{index.name}-next"
        self._entries, self._page = _MOST_ENTRIES, _PAGE

    async def step(self) -> bool:
        """True when there is more to do at once. Raises EngineAway; then it is done again."""
        async with reading(self._db) as conn:
            try:
                if not await store.try_lock(conn):
                    return False
                more = await self._step(conn)
                await store.unlock(conn)
            except EngineAway:
                await store.unlock(conn)
                raise
            except BaseException:
                await conn.close()  # and the lock goes with it, wherever this was stopped
                raise
            return more

    async def _step(self, conn: Connection) -> bool:
        """Each statement is committed by itself, after what it says was done: killed between the two, the
        next step does it again."""
        if (row := await store.find_index(conn, self._index.name)) is None:
            await store.register_index(conn, self._index.name)
            return True
        row = await self._settle(conn, row)
        fed = await self._feed(conn, row)
        return await self._build(conn, row) or fed

    async def _settle(self, conn: Connection, row: IndexRow) -> IndexRow:
        """Make the row true of the engine, which may have been emptied, replaced or killed meanwhile,
        and begin a build where one is needed."""
        answering = await self._index.find_build(row.name)
        if row.next_build is not None and answering == row.next_build:  # killed just after the swap
            await self._finish(conn, row)
        elif row.build is not None and answering != row.build:
            log.warning("search_index_lost", index=row.name, expected=row.build, found=answering)
            await store.lose_build(conn, row.name)
        row = await store.find_index(conn, row.name) or row
        underway = row.next_fingerprint == FINGERPRINT and await self._index.exists(self._next_name)
        if row.next_build is not None and underway:
            return row
        if row.next_build is None and row.fingerprint == FINGERPRINT:
            return row
        await self._index.make(self._next_name)
        await store.begin_build(conn, row.name, uuid.uuid4().hex, FINGERPRINT)
        log.info("search_index_build_started", index=row.name, fingerprint=FINGERPRINT)
        return await store.find_index(conn, row.name) or row

    async def _feed(self, conn: Connection, row: IndexRow) -> bool:
        entries = await store.list_entries(conn, self._entries)
        if not entries:
            return False
        keys = list(dict.fromkeys((entry.username, entry.track_id) for entry in entries))
        found = await store.read_documents(conn, keys)
        gone = set(keys) - {(one["username"], one["track_id"]) for one in found}
        names = [name for name, there in self._targets(row) if there]
        try:
            for name in names:
                if found:
                    await self._index.put(name, _documents(found))
                if gone:
                    await self._index.delete(name, [document_id(*key) for key in sorted(gone)])
        except IndexRefused as exc:
            log.error("search_index_refused", reason=str(exc), entries=len(entries), track=keys[0])
            if len(entries) > 1:
                self._entries = max(1, len(entries) // 4)
                return True
            await store.add_entry(conn, entries[0].username, entries[0].track_id)
            await store.delete_entries(conn, [entries[0].seq])
            return False
        await store.delete_entries(conn, [entry.seq for entry in entries])
        more = len(entries) == self._entries
        self._entries = min(self._entries * 2, _MOST_ENTRIES)
        return more

    def _targets(self, row: IndexRow) -> list[tuple[str, bool]]:
        return [(row.name, row.build is not None), (self._next_name, row.next_build is not None)]

    async def _build(self, conn: Connection, row: IndexRow) -> bool:
        if row.next_build is None:
            return False
        found = await store.read_documents_after(conn, row.next_username, row.next_track_id, self._page)
        if not found:
            await self._index.take_place(self._next_name, row.next_build)
            await self._finish(conn, row)
            return True
        last = found[-1]
        try:
            await self._index.put(self._next_name, _documents(found))
        except IndexRefused as exc:
            log.error("search_index_refused", reason=str(exc), tracks=len(found), last=last["track_id"])
            if len(found) > 1:
                self._page = max(1, len(found) // 4)
                return True
            await store.add_entry(conn, last["username"], last["track_id"])
        await store.save_progress(conn, row.name, last["username"], last["track_id"])
        self._page = min(self._page * 2, _PAGE)
        return True

    async def _finish(self, conn: Connection, row: IndexRow) -> None:
        await self._index.drop(self._next_name)
        await store.finish_build(conn, row.name)
        log.info("search_index_built", index=row.name, build=row.next_build)


def _documents(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the engine stores: no nulls, which it would tell apart from what is absent."""
    return [
        {
            "id": document_id(one["username"], one["track_id"]),
            "owner": encode(one["username"]),
            "track": encode(one["track_id"]),
            **{name: value for name, value in one.items() if value is not None},
        }
        for one in found
    ]
