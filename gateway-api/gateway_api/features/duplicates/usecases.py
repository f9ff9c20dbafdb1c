"""Shows duplicates, merges them, and takes a merge back."""

from typing import Any

from dj_contracts.jobs import JobKind
from dj_servicekit.errors import Conflict, Malformed, NotFound
from gateway_api.db import Connection, Pool, reading, transaction
from gateway_api.features.downloads import usecases as downloads
from gateway_api.features.duplicates import grouping, store
from gateway_api.features.duplicates.models import (
    DuplicateGroup,
    DuplicateGroups,
    Merge,
    MergeRequest,
    MergeRow,
)
from gateway_api.features.jobs import store as jobs_store
from gateway_api.features.jobs.usecases import add_analysis_jobs, announce
from gateway_api.features.tracks import store as tracks_store
from gateway_api.features.tracks.models import MEASURED
from gateway_api.features.trash import store as trash_store
from gateway_api.services import Services

# The columns that an analysis writes.
_HEARD = (*MEASURED, "duration_seconds")


async def list_duplicates(db: Pool, username: str, *, after: str, limit: int) -> DuplicateGroups:
    async with transaction(db) as conn:
        found = await store.list_recordings(conn, username, after=after, limit=limit + 1)
    page = found[:limit]
    return DuplicateGroups(
        groups=[
            DuplicateGroup(
                recording=recording,
                reason=grouping.why(group),
                tracks=[row.to_track() for row in group],
            )
            for recording, rows in page
            for group in grouping.split_by_duration(rows)
        ],
        next=page[-1][0] if len(found) > limit else None,
    )


async def list_same_sounds(db: Pool, username: str, *, after: str, limit: int) -> DuplicateGroups:
    """By what files sound like, whatever they are called. A page looks at so many tracks, and may find
    nothing among them."""
    async with reading(db) as conn:
        found = await store.list_fingerprinted(conn, username, after=after, limit=limit + 1)
    groups = []
    for track_id in found[:limit]:
        alike = await downloads.list_duplicates(db, username, track_id)
        # A group is told once, where its first track comes.
        if alike and track_id < min(one.track_id for one in alike):
            async with reading(db) as conn:
                rows = await tracks_store.list_by_id(
                    conn, username, [track_id, *(one.track_id for one in alike)]
                )
            least = min(one.similarity for one in alike)
            groups.append(
                DuplicateGroup(
                    recording=track_id,
                    reason=f"The same recording by its fingerprint, at least {least:.0%} alike.",
                    tracks=[row.to_track() for row in grouping.best_first(rows)],
                )
            )
    return DuplicateGroups(groups=groups, next=found[limit - 1] if len(found) > limit else None)


async def merge(services: Services, username: str, request: MergeRequest) -> Merge:
    """Make tracks one: what is kept takes over what it lacks, its playlists' places and its plays; what is
    dropped goes to the trash. Nothing is lost, so that it can be undone."""
    dropped = list(dict.fromkeys(request.drop))
    if request.keep in dropped:
        raise Malformed("A track cannot be merged into itself: 'keep' stands in 'drop' too.")
    async with transaction(services.db) as conn:
        there = await tracks_store.lock_tracks(conn, username, [request.keep, *dropped])
        if missing := [one for one in (request.keep, *dropped) if one not in there]:
            raise NotFound(f"Nothing was changed. Not in this collection: {', '.join(missing)}.")
        undo = {one: await _take_over(conn, username, one, request.keep) for one in dropped}
        await trash_store.put_away(conn, username, dropped)
        for one in dropped:
            await jobs_store.cancel_track_jobs(conn, username, one, why="The track was merged into another.")
        # The file's own measuring ended with the track that it came from.
        jobs = await add_analysis_jobs(
            conn, username, await store.list_unmeasured(conn, username, [request.keep])
        )
        merged = await _shown(conn, await store.insert_merge(conn, username, request.keep, dropped, undo))
    await announce(jobs, db=services.db, queue=services.queue, events=services.events)
    return merged


async def list_merges(db: Pool, username: str, *, limit: int, offset: int) -> list[Merge]:
    async with transaction(db) as conn:
        rows = await store.list_merges(conn, username, limit=limit, offset=offset)
        return [await _shown(conn, row) for row in rows]


async def undo(services: Services, username: str, merge_id: int) -> Merge:
    """Take a merge back. What was edited since stays as it was edited; undone twice, it is undone."""
    async with transaction(services.db) as conn:
        if (row := await store.lock_merge(conn, username, merge_id)) is None:
            raise NotFound(f"There is no merge {merge_id} in this collection.")
        if row.undone_at is not None:
            return await _shown(conn, row)
        tracks = [row.kept, *row.dropped]
        if len(await trash_store.list_existing(conn, username, tracks)) < len(tracks):
            raise Conflict("One of these tracks was deleted for ever, so the merge cannot be undone.")
        if await store.has_later_merge(conn, username, merge_id, tracks):
            raise Conflict("One of these tracks was merged again afterwards. Undo that merge first.")
        await trash_store.restore(conn, username, row.dropped)
        for one in reversed(row.dropped):
            await _give_back(conn, username, one, row.kept, row.undo[one])
        jobs = await add_analysis_jobs(
            conn, username, await store.list_unmeasured(conn, username, row.dropped)
        )
        undone = await _shown(conn, await store.mark_undone(conn, merge_id))
    await announce(jobs, db=services.db, queue=services.queue, events=services.events)
    return undone


async def _take_over(conn: Connection, username: str, source: str, target: str) -> dict[str, Any]:
    """Move to the target what the source has; answers what undoes it."""
    states = await store.read_states(conn, username, [source, target])
    theirs, ours = states[source], states[target]
    taken = {name: theirs[name] for name in store.FILLED if ours[name] is None and theirs[name] is not None}
    taken |= {name: theirs[name] for name in store.TEXTS if not ours[name] and theirs[name]}
    taken |= {
        name: list(dict.fromkeys(ours[name] + theirs[name]))
        for name in store.LISTS
        if set(theirs[name]) - set(ours[name])
    }
    given: dict[str, Any] = {}
    had: dict[str, list[str]] = {}
    if ours["audio_path"] is None and theirs["audio_path"] is not None:
        given = {name: theirs[name] for name in store.FILE}
        # A file belongs to one track, so it leaves the one before it comes to the other.
        await store.write_state(conn, username, source, dict.fromkeys(given))
        had = await store.take_over_sound(conn, username, source, target)
    await store.write_state(conn, username, target, taken | given)
    corrections = [name for name in MEASURED if name in taken]
    return {
        "before": {name: ours[name] for name in (*taken, *given, *_HEARD)},
        "after": taken | given,
        "given": given,
        "had": had,
        "corrections": await store.copy_corrections(conn, username, source, target, corrections),
        "entries": await store.move_entries(conn, username, source, target),
        "plays": await store.move_plays(conn, username, source, target),
    }


async def _give_back(conn: Connection, username: str, source: str, target: str, undo: dict[str, Any]) -> None:
    now = (await store.read_states(conn, username, [target]))[target]
    # What a person has set since is theirs to keep.
    back = {
        name: undo["before"][name]
        for name, value in undo["after"].items()
        if now[name] == value and name not in store.FILE
    }
    given = undo["given"] if now["audio_path"] == undo["after"].get("audio_path") else {}
    back |= {name: undo["before"][name] for name in given}
    if given and now["analyzed_at"] != given["analyzed_at"]:
        # An analysis since wrote its values to the track that loses the file now. The one that gets it back
        # has none of them, so it is measured anew.
        heard = await _heard_since(conn, username, target, now)
        back |= {name: undo["before"][name] for name in heard if name in undo["before"]}
        given = given | {"analyzed_at": None}
    await store.write_state(conn, username, target, back)
    if given:
        # What the file was measured by since is the file's, and so is a measuring that is under way.
        await store.give_back_sound(conn, username, source, target, undo.get("had"))
        await jobs_store.cancel_track_jobs(
            conn, username, target, why="The file went back when a merge was undone.", kind=JobKind.ANALYZE
        )
    await store.write_state(conn, username, source, given)
    await store.drop_corrections(
        conn, username, target, [name for name in undo["corrections"] if name in back]
    )
    await store.give_back_entries(conn, username, source, target, undo["entries"])
    await store.give_back_plays(conn, username, source, undo["plays"])


async def _heard_since(conn: Connection, username: str, track_id: str, now: dict[str, Any]) -> list[str]:
    """What a track has from its analysis and from nobody's correction."""
    corrected = await tracks_store.list_corrections(conn, username, track_id)
    analysis = await tracks_store.find_analysis(conn, username, track_id)
    # A duration that a person sets is no correction; that it is another one than was measured tells of it.
    measured = analysis is not None and now["duration_seconds"] == analysis.duration_seconds
    return [name for name in MEASURED if name not in corrected] + ["duration_seconds"] * measured


async def _shown(conn: Connection, row: MergeRow) -> Merge:
    track = await tracks_store.find_track(conn, row.username, row.kept)
    return Merge(
        id=row.id,
        kept=row.kept,
        dropped=row.dropped,
        merged_at=row.merged_at,
        undone_at=row.undone_at,
        track=track.to_track() if track else None,
    )
