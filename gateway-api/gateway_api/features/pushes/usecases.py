"""A raw push becomes a job, once, however often it is pushed."""

from typing import Any

from pydantic import TypeAdapter, ValidationError

from dj_contracts.downloads import AudioFormat, SourceName
from dj_contracts.jobs import AnalyzePayload, DownloadPayload, JobKind, JobState
from dj_contracts.pushes import PushRegistration, PushState
from dj_contracts.tracks import URL, NewTrack
from dj_servicekit.errors import Conflict, Malformed, NotFound
from gateway_api.db import Connection, transaction
from gateway_api.features.friends import store as friends_store
from gateway_api.features.jobs import file_jobs
from gateway_api.features.jobs import store as jobs_store
from gateway_api.features.jobs.models import JobRow
from gateway_api.features.jobs.usecases import announce, get_row
from gateway_api.features.pushes import store
from gateway_api.features.tracks import store as tracks_store
from gateway_api.services import Services

_LINKS = ("apple_music_url", "youtube_url", "soundcloud_url")
_SAID = ("title", "artist", "album")
_LINK = TypeAdapter[str](URL)
_OVER_AND_LOST = (JobState.FAILED, JobState.CANCELLED)


async def register_push(push: PushRegistration, services: Services) -> PushState:
    """The job of a push: made now, or found again. A new push of a wish that failed or was cancelled sets
    it going once more; the same push delivered again does not (docs/decisions/0008)."""
    async with transaction(services.db) as conn:
        await store.lock_push(conn, push.id)
        known = await store.find_push(conn, push.id)
        row = await get_row(conn, known[0]) if known else await _make_job(conn, push, services)
        is_new = known is None or known[1] != push.identity
        if known and is_new and row.state in _OVER_AND_LOST:
            row = await _restart(conn, row)
        if is_new:
            await store.save_push(conn, push.id, push.identity, row.id)
    if is_new and row.state == JobState.WAITING:
        await announce([row], db=services.db, queue=services.queue, events=services.events)
    return _state(row)


async def _restart(conn: Connection, lost: JobRow) -> JobRow:
    """Beside an open job on the same track there is nothing to start: that one is what is wished for."""
    if (other := await jobs_store.find_open_job(conn, lost)) is not None:
        return other
    return await jobs_store.retry_job(conn, lost.id, lost.username) or lost


async def get_push_state(job_id: str, services: Services) -> PushState:
    async with transaction(services.db) as conn:
        if (row := await jobs_store.find_job(conn, job_id)) is None:
            raise NotFound(f"There is no job {job_id!r}.")
    return _state(row)


async def _make_job(conn: Connection, push: PushRegistration, services: Services) -> JobRow:
    username = await _find_owner(conn, push, services.settings.default_username)
    match push.job_type:
        case JobKind.DOWNLOAD:
            return await _make_download(conn, push, username, services)
        case "analyze-local" | JobKind.ANALYZE:
            track = await tracks_store.find_track(conn, username, push.track_id)
            if track is None or track.audio_path is None:
                raise Conflict(f"There is no audio of track {push.track_id!r} to analyse.")
            payload = AnalyzePayload(audio_path=track.audio_path).model_dump(mode="json")
            job = (push.id, push.track_id, payload)
            return (await jobs_store.insert_track_jobs(conn, username, JobKind.ANALYZE, [job]))[0]
        case JobKind.FIX_DURATION:
            return await file_jobs.add_duration_fix(conn, push.id, username, push.track_id)
        case JobKind.COVER_ART:
            return await file_jobs.add_cover(conn, push.id, username, push.track_id)
        case JobKind.ALBUM_COVER_ART:
            release_id = str(push.raw.get("release_id") or "") or await _release_of(conn, push, username)
            return await file_jobs.add_album_cover(conn, push.id, username, release_id)
        case _:
            raise Malformed(f"There is no job of the kind {push.job_type!r} in this version.")


async def _make_download(
    conn: Connection, push: PushRegistration, username: str, services: Services
) -> JobRow:
    if push.url is None:
        raise Malformed("A download needs a link.")
    if await tracks_store.find_track(conn, username, push.track_id) is None:
        await _add_track(conn, username, push)
    payload = DownloadPayload(url=push.url, sources=_sources(push), format=_format(push))
    said = {"kind": JobKind.DOWNLOAD, **payload.model_dump(mode="json", exclude_defaults=True)}
    job = (push.id, push.track_id, said)
    hosts = [services.queue.host_limits.host_of(push.url)]
    return (await jobs_store.insert_track_jobs(conn, username, JobKind.DOWNLOAD, [job], hosts=hosts))[0]


async def _release_of(conn: Connection, push: PushRegistration, username: str) -> str:
    track = await tracks_store.find_track(conn, username, push.track_id)
    if track is None or not track.release_id:
        raise Conflict(f"Nobody knows of which release track {push.track_id!r} is. Give a release_id.")
    return str(track.release_id)


async def _find_owner(conn: Connection, push: PushRegistration, default_username: str) -> str:
    """Older producers name a collection by its number, newer ones by its name, most not at all."""
    wanted = push.username or push.friend_id
    if wanted is None:
        return default_username
    for friend in await friends_store.list_friends(conn):
        if wanted == friend.username or (push.username is None and wanted == str(friend.id)):
            return friend.username
    raise Conflict(f"There is no collection {wanted!r}. Make it with POST /api/friends, then push again.")


async def _add_track(conn: Connection, username: str, push: PushRegistration) -> None:
    """A push may come before its track. What it says of the track is taken as far as it makes sense."""
    said: dict[str, Any] = {name: push.raw[name] for name in _SAID if push.raw.get(name)}
    said |= {name: push.raw[name] for name in _LINKS if _is_link(push.raw.get(name))}
    try:
        new = NewTrack.model_validate({"title": push.track_id, **said, "track_id": push.track_id})
    except ValidationError as exc:
        raise Malformed(f"The push does not describe a track: {exc.errors()[0]['msg']}.") from exc
    fields = new.model_dump(exclude={"track_id"}, exclude_none=True)
    await tracks_store.insert_track(conn, username, push.track_id, fields)


def _is_link(value: Any) -> bool:
    try:
        _LINK.validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


def _sources(push: PushRegistration) -> list[SourceName]:
    """A push with several links names a first choice and what to fall back on."""
    if sum(bool(push.raw.get(name)) for name in _LINKS) < 2:
        return []
    gamdl_first = push.url == push.raw.get("apple_music_url")
    return [SourceName.GAMDL, SourceName.YTDLP] if gamdl_first else [SourceName.YTDLP, SourceName.GAMDL]


def _format(push: PushRegistration) -> AudioFormat | None:
    """Older producers name formats of their own too; what is none of ours is no wish."""
    wish = push.raw.get("format")
    return AudioFormat(wish) if wish in list(AudioFormat) else None


def _state(row: JobRow) -> PushState:
    job = row.to_job()
    return PushState(
        job_id=job.id,
        state=job.state,
        progress=job.progress,
        error_code=job.error_code,
        error=job.failedReason,
    )
