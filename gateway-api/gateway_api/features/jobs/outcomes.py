"""What the finished jobs on a track's own file change: its length, its cover."""

from pathlib import PurePath

from dj_contracts.jobs import CoverArtDone, DurationDone, JobKind
from dj_servicekit.errors import Malformed
from gateway_api.db import Connection
from gateway_api.features.jobs import store
from gateway_api.features.jobs.models import JobRow
from gateway_api.features.tracks import store as tracks_store


async def apply_to_files(conn: Connection, job: JobRow, outcome: DurationDone | CoverArtDone) -> None:
    """Inside the transaction that completes the job. A track that was deleted meanwhile stays as it is."""
    track_id = str(job.track_id)
    if isinstance(outcome, DurationDone):
        fields = {"duration_seconds": outcome.duration_seconds}
        await tracks_store.update_track(conn, job.username, track_id, fields)
        return
    require_managed(outcome.cover_path)
    if outcome.kind == JobKind.ALBUM_COVER_ART:
        await store.save_album_cover(conn, job.username, track_id, outcome.cover_path)
    else:
        await tracks_store.update_track(conn, job.username, track_id, {"cover_path": outcome.cover_path})


def require_managed(path: str) -> None:
    parts = PurePath(path)
    if parts.is_absolute() or ".." in parts.parts:
        raise Malformed("A file that a worker made belongs below the audio folder.")
