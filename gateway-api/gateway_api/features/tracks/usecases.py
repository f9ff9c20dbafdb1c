"""Create, read, correct and put away tracks."""

import base64
import binascii
import json
import math
import uuid
from datetime import UTC, datetime

from dj_contracts.analysis import AnalysisResult
from dj_contracts.tracks import NewTrack, Track, TrackFields
from dj_servicekit.errors import Malformed, NotFound
from gateway_api.db import Connection, Pool, reading, transaction
from gateway_api.features.embeddings.usecases import keep_sound
from gateway_api.features.jobs import store as jobs_store
from gateway_api.features.tracks import edits, store
from gateway_api.features.tracks.filters import TrackFilter
from gateway_api.features.tracks.models import (
    MEASURED,
    BulkEdit,
    BulkEdited,
    ListedTrack,
    ShownTrack,
    TrackRow,
)
from gateway_api.preconditions import PreconditionFailed, require_match


def track_not_found(track_id: str) -> NotFound:
    return NotFound(f"There is no track {track_id!r} in this collection.")


async def create_track(db: Pool, username: str, new: NewTrack) -> Track:
    track_id = new.track_id or uuid.uuid4().hex
    fields = new.model_dump(exclude={"track_id"}, exclude_none=True)
    async with transaction(db) as conn:
        await store.insert_track(conn, username, track_id, fields)
        corrections = {name: fields[name] for name in MEASURED if name in fields}
        await store.save_corrections(conn, username, track_id, corrections)
        return (await _get_row(conn, username, track_id)).to_track()


async def get_track(db: Pool, username: str, track_id: str) -> ShownTrack:
    async with reading(db) as conn:
        if (track := await store.show_track(conn, username, track_id)) is None:
            raise track_not_found(track_id)
    return track


async def list_tracks(
    db: Pool, username: str, *, filters: TrackFilter, sort: str, after: str | None, limit: int
) -> str:
    """A page, as JSON of ``TrackPage``."""
    async with reading(db) as conn:
        rows = await store.list_tracks(
            conn,
            username,
            filters=filters,
            sort=sort,
            after=_read_cursor(after, sort) if after else None,
            limit=limit + 1,
        )
    page = rows[:limit]
    following = _write_cursor(sort, page[-1]) if len(rows) > limit else None
    return f'{{"tracks":[{",".join(row.json for row in page)}],"next":{json.dumps(following)}}}'


async def edit_track(
    db: Pool, username: str, track_id: str, patch: TrackFields, if_match: str | None = None
) -> Track:
    """Set what the patch names. A measured field set to null goes back to what was measured."""
    edits.require_sense(patch)
    async with transaction(db) as conn:
        if not await store.lock_track(conn, username, track_id):
            raise track_not_found(track_id)
        if if_match is not None:
            require_match(if_match, (await _get_row(conn, username, track_id)).updated_at)
        await edits.apply(conn, username, track_id, patch)
        return (await _get_row(conn, username, track_id)).to_track()


async def edit_tracks(db: Pool, username: str, bulk: BulkEdit) -> BulkEdited:
    """The same edit of many tracks: of all of them or, when one is not there, of none."""
    edits.require_sense(bulk.set)
    wanted = list(dict.fromkeys(bulk.track_ids))
    if others := sorted(bulk.read_at.keys() - set(wanted)):
        raise Malformed(f"read_at names tracks that this edit does not: {', '.join(others[:10])}.")
    async with transaction(db) as conn:
        # In one order, so that two such edits do not wait for each other for ever.
        there = await store.lock_tracks(conn, username, sorted(wanted))
        if missing := [track_id for track_id in wanted if track_id not in there]:
            raise NotFound(f"Nothing was changed. Not in this collection: {', '.join(missing[:10])}.")
        if changed := [one for one in wanted if bulk.read_at.get(one, there[one]) != there[one]]:
            raise PreconditionFailed(
                f"Nothing was written, for these have changed since you read them: {', '.join(changed[:10])}."
            )
        for track_id in wanted:
            await edits.apply(conn, username, track_id, bulk.set)
        if bulk.add_tags or bulk.remove_tags:
            await store.change_tags(conn, username, wanted, add=bulk.add_tags, remove=bulk.remove_tags)
        rows = await store.list_by_id(conn, username, wanted)
    return BulkEdited(tracks=[row.to_track() for row in rows])


async def delete_track(db: Pool, username: str, track_id: str, if_match: str | None = None) -> None:
    async with transaction(db) as conn:
        for changed in (await store.lock_tracks(conn, username, [track_id])).values():
            require_match(if_match, changed)
        if not await store.soft_delete_track(conn, username, track_id):
            raise track_not_found(track_id)
        await jobs_store.cancel_track_jobs(conn, username, track_id, why="The track was deleted.")


async def get_analysis(db: Pool, username: str, track_id: str) -> AnalysisResult:
    async with transaction(db) as conn:
        if (result := await store.find_analysis(conn, username, track_id)) is None:
            await _get_row(conn, username, track_id)
            raise NotFound("This track has not been analysed. See its jobs for why.")
        return result


async def apply_analysis(conn: Connection, username: str, track_id: str, result: AnalysisResult) -> None:
    """Store an analysis and make it effective, except where a person has corrected it. The caller holds the
    track's lock."""
    await store.save_analysis(conn, username, track_id, result)
    corrected = await store.list_corrections(conn, username, track_id)
    # A value that could not be measured leaves what the file's tags said.
    measured = {
        name: value
        for name, value in store.measured_values(result).items()
        if value is not None and name not in corrected
    }
    columns = {"duration_seconds": result.duration_seconds, "analyzed_at": datetime.now(UTC)}
    await store.update_track(conn, username, track_id, measured | columns)
    if result.embedding is not None:
        await keep_sound(conn, username, track_id, result.embedding)


async def _get_row(conn: Connection, username: str, track_id: str) -> TrackRow:
    if (row := await store.find_track(conn, username, track_id)) is None:
        raise track_not_found(track_id)
    return row


def _write_cursor(sort: str, last: ListedTrack) -> str:
    place = [sort, last.place, last.track_id, last.username]
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _read_cursor(cursor: str, sort: str) -> tuple[str, str, str]:
    try:
        match json.loads(base64.urlsafe_b64decode(cursor.encode())):
            case [str(cursor_sort), str(value), str(track_id), str(username)] if cursor_sort == sort:
                return _checked(sort, value), _checked("text", track_id), _checked("text", username)
    except (ValueError, binascii.Error) as exc:
        raise _bad_cursor() from exc
    raise _bad_cursor()


def _checked(sort: str, value: str) -> str:
    """A cursor's value as Postgres reads it, or ValueError."""
    if sort == "bpm":
        bpm = float(value)
        if not math.isfinite(bpm):
            raise ValueError("A tempo is finite.")
        return repr(bpm)
    if sort == "added":
        return datetime.fromisoformat(value).isoformat()
    if "\x00" in value.encode().decode():
        raise ValueError("Postgres text has no NUL.")
    return value


def _bad_cursor() -> Malformed:
    return Malformed("'after' is not a cursor of this listing. Take 'next' of its last page.")
