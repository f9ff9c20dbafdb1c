"""The download job: fetch into the job's own folder, verify, move into place as one step."""

import shutil

from dj_contracts.errors import ErrorCode
from dj_contracts.jobs import DownloadDone, DownloadPayload
from download_worker import media
from download_worker.attempt import Attempt
from download_worker.errors import JobFailed
from download_worker.guard import URLForbidden, check_url
from download_worker.outcome import Outcome
from download_worker.places import final_path, job_folder, move_into_place
from download_worker.settings import Settings
from download_worker.sources import ytdlp


def download(payload: DownloadPayload, attempt: Attempt, settings: Settings) -> Outcome:
    """Nothing appears in the audio folder before it is verified, and then all of it at once."""
    try:
        check_url(payload.url)
    except URLForbidden as exc:
        raise JobFailed(ErrorCode.SOURCE_FORBIDDEN, f"{exc} Give another link.") from exc
    claim, limit = attempt.claim, settings.download_timeout_seconds
    if shutil.disk_usage(settings.audio_dir).free < settings.min_free_bytes:
        raise JobFailed(
            ErrorCode.DISK_FULL,
            "The disk of the audio folder is nearly full. Make room; the download is tried again by itself.",
            transient=True,
        )
    ffmpeg = media.find_ffmpeg()
    with job_folder(settings.audio_dir, claim.id, claim.attempt) as folder:
        fetched = ytdlp.fetch(payload.url, folder, ffmpeg, attempt, settings)
        attempt.report("verifying", 92)
        audio = media.verify(fetched, ffmpeg, attempt, timeout_seconds=limit)
        if not audio.stands_alone:
            attempt.report("taking the sound out of the video", 97)
            fetched = media.take_audio_out(fetched, audio, ffmpeg, attempt, timeout_seconds=limit)
        target = final_path(settings.audio_dir, claim.username, claim.track_id, payload.url, audio.suffix)
        was_there = target.exists()
        # The last look before the file can be seen: most cancelled jobs end here at the latest.
        attempt.check()
        move_into_place(fetched, target, settings.audio_dir)
    attempt.report("attaching", 99)
    done = DownloadDone(
        audio_path=target.relative_to(settings.audio_dir).as_posix(),
        duration_seconds=round(audio.duration_seconds, 3),
        source_url=payload.url,
    )

    def discard() -> None:
        if not was_there:
            target.unlink(missing_ok=True)

    return Outcome(done, discard)
