"""The jobs on a file that a track has: how long it plays, and the cover in its tags."""

import re
from pathlib import Path

from dj_contracts.errors import ErrorCode
from dj_contracts.jobs import CoverArtDone, CoverArtPayload, DurationDone, DurationPayload
from download_worker import media
from download_worker.at_hand import fetch_copy, find_here
from download_worker.attempt import Attempt
from download_worker.errors import JobFailed
from download_worker.gateway import GatewayClient
from download_worker.outcome import Outcome
from download_worker.pictures import find_picture
from download_worker.places import job_folder, move_into_place, safe_component
from download_worker.settings import Settings

_DECODED = re.compile(r"^out_time_us=(\d+)", re.M)
_SUFFIXES = ("jpg", "png", "webp")


def fix_duration(
    payload: DurationPayload, attempt: Attempt, gateway: GatewayClient, settings: Settings
) -> Outcome:
    """By playing it to the end: what a file says of its own length is often an estimate."""
    with job_folder(settings.audio_dir, attempt.claim.id, attempt.claim.attempt) as place:
        path = _at_hand(payload.audio_path, place.path, attempt, gateway, settings)
        attempt.report("measuring", 0)
        words = ["-i", str(path), "-map", "0:a:0", "-f", "null", "-progress", "pipe:2", "-"]
        _, said = media.run_ffmpeg(media.find_ffmpeg(), words, attempt, settings.download_timeout_seconds)
    played = max((int(found) / 1e6 for found in _DECODED.findall(said)), default=0.0)
    if played <= 0:
        raise JobFailed(
            ErrorCode.FILE_UNREADABLE,
            f"The file {Path(payload.audio_path).name!r} cannot be played. Give the track another file.",
        )
    return Outcome(DurationDone(duration_seconds=round(played, 3)))


def extract_cover(
    payload: CoverArtPayload, attempt: Attempt, gateway: GatewayClient, settings: Settings
) -> Outcome:
    """Of the first file that has one, into the track's own part of the audio folder, in one step."""
    attempt.report("looking for a cover", 0)
    claim = attempt.claim
    folder = settings.audio_dir / safe_component(claim.username) / safe_component(claim.track_id)
    with job_folder(settings.audio_dir, claim.id, claim.attempt) as place:
        for audio_path in payload.audio_paths:
            attempt.check()
            if found := find_picture(_at_hand(audio_path, place.path, attempt, gateway, settings)):
                break
        else:
            raise JobFailed(
                ErrorCode.NOT_FOUND,
                "There is no picture in the tags. Put one into the file with a tag editor, then try again.",
            )
        target = folder / f"cover.{found.suffix}"
        was_there = target.exists()
        made = place.path / target.name
        made.write_bytes(found.content)
        attempt.check()
        move_into_place(made, target, settings.audio_dir)

    def discard() -> None:
        if not was_there:
            target.unlink(missing_ok=True)

    def settle() -> None:
        for suffix in _SUFFIXES:
            if suffix != found.suffix:
                (folder / f"cover.{suffix}").unlink(missing_ok=True)

    done = CoverArtDone(kind=payload.kind, cover_path=target.relative_to(settings.audio_dir).as_posix())
    return Outcome(done, discard, settle)


def _at_hand(
    audio_path: str, place: Path, attempt: Attempt, gateway: GatewayClient, settings: Settings
) -> Path:
    patience = settings.report_patience_seconds
    return find_here(audio_path, settings) or fetch_copy(
        audio_path, place, attempt, gateway, settings, patience_seconds=patience
    )
