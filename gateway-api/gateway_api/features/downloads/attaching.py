"""What a download's claim, end and failure do to the track, inside the transaction of its job."""

from pathlib import PurePath

from dj_contracts.downloads import Candidate, Fingerprint, WantedTrack
from dj_contracts.jobs import DownloadDone
from dj_servicekit.errors import Conflict, Malformed
from gateway_api.db import Connection
from gateway_api.features.downloads import store
from gateway_api.features.downloads.fingerprints import keys_of, pack
from gateway_api.features.review import store as review_store
from gateway_api.features.tracks import store as tracks_store


async def wanted_track(conn: Connection, username: str, track_id: str) -> WantedTrack | None:
    """What the worker looks for. A length that was read off a file is no word on what it should be."""
    if (track := await tracks_store.find_track(conn, username, track_id)) is None:
        return None
    links = (track.apple_music_url, track.youtube_url, track.soundcloud_url)
    return WantedTrack(
        title=track.title,
        artist=track.artist,
        album=track.album,
        year=track.year,
        genres=track.genres,
        duration_seconds=track.duration_seconds if track.audio_path is None else None,
        links=[link for link in links if link],
        rejected_urls=await review_store.list_rejected_urls(conn, username, track_id),
    )


async def attach(conn: Connection, username: str, track_id: str, done: DownloadDone) -> None:
    """Give the file to its track, with its size and time, so that a scan knows it for what it is."""
    path = PurePath(done.audio_path)
    if path.is_absolute() or ".." in path.parts:
        raise Malformed("A downloaded file belongs below the audio folder.")
    fields = {
        "audio_path": done.audio_path,
        "duration_seconds": done.duration_seconds,
        "audio_size": done.size_bytes,
        "audio_mtime_ns": done.mtime_ns,
    }
    if not await tracks_store.update_track(conn, username, track_id, fields):
        raise Conflict("The track was deleted while its audio was fetched.")
    await keep_fingerprint(conn, username, track_id, done.fingerprint)
    await review_store.forget_waiting(conn, username, track_id)


async def keep_fingerprint(
    conn: Connection, username: str, track_id: str, fingerprint: Fingerprint | None
) -> None:
    """That of the file which the track has now; none when it is too short for one."""
    if fingerprint is None:
        await store.delete_fingerprint(conn, username, track_id)
        return
    items = fingerprint.items
    await store.save_fingerprint(
        conn, username, track_id, pack(items), keys_of(items), fingerprint.duration_seconds
    )


async def keep_candidates(
    conn: Connection, username: str, track_id: str, candidates: list[Candidate]
) -> None:
    if candidates:
        await review_store.save_candidates(conn, username, track_id, candidates)
