"""List the doubtful finds, take one, refuse one."""

from dj_contracts.jobs import DownloadPayload, Job
from dj_servicekit.errors import Conflict, NotFound
from gateway_api.db import Connection, Pool, transaction
from gateway_api.features.downloads import store as downloads_store
from gateway_api.features.downloads.usecases import insert_download
from gateway_api.features.jobs.usecases import announce
from gateway_api.features.review import store
from gateway_api.features.review.models import CandidateRow, ReviewCandidate, ReviewPage, ReviewState
from gateway_api.services import Services


async def list_candidates(
    db: Pool, username: str, *, state: ReviewState, track_id: str | None, limit: int, offset: int
) -> ReviewPage:
    async with transaction(db) as conn:
        rows = await store.list_candidates(
            conn, username, state=state, track_id=track_id, limit=limit, offset=offset
        )
        total = await store.count_candidates(conn, username, state=state, track_id=track_id)
    return ReviewPage(results=[row.to_candidate() for row in rows], total=total, limit=limit, offset=offset)


async def accept(username: str, candidate_id: int, *, allow_duplicate: bool, services: Services) -> Job:
    """Download it. It has to be as long as it said, for that is what the person has agreed to."""
    async with transaction(services.db) as conn:
        found = await _get_row(conn, username, candidate_id)
        if not await store.decide(conn, username, candidate_id, ReviewState.ACCEPTED):
            raise Conflict("This was refused before. Ask for its link with the download of the track.")
        wishes, _ = await downloads_store.find_preferences(conn, username)
        payload = DownloadPayload(
            url=found.url,
            format=wishes.format,
            write_tags=wishes.write_tags,
            duration_seconds=found.duration_seconds or None,
            any_length=found.duration_seconds is None,
            allow_duplicate=allow_duplicate,
        )
        rows = await insert_download(conn, username, found.track_id, payload, services.queue.host_limits)
    await announce(rows, db=services.db, queue=services.queue, events=services.events)
    return rows[0].to_job()


async def reject(db: Pool, username: str, candidate_id: int) -> ReviewCandidate:
    """It is not offered again, and no search takes it for sure."""
    async with transaction(db) as conn:
        await _get_row(conn, username, candidate_id)
        if not await store.decide(conn, username, candidate_id, ReviewState.REJECTED):
            raise Conflict("This was accepted before. Cancel its job, if it is still under way.")
        return (await _get_row(conn, username, candidate_id)).to_candidate()


async def _get_row(conn: Connection, username: str, candidate_id: int) -> CandidateRow:
    if (row := await store.find_candidate(conn, username, candidate_id)) is None:
        raise NotFound(f"There is no find {candidate_id} in the review list of this collection.")
    return row
