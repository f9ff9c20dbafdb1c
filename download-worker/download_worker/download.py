"""The download job: from the first source that has it, verified, and moved into place as one step."""

from pathlib import Path

from dj_contracts.downloads import SourceName, WantedTrack
from dj_contracts.jobs import DownloadDone, DownloadPayload
from download_worker import media
from download_worker.attempt import Attempt
from download_worker.checks import Checks, Ready
from download_worker.gateway import GatewayClient
from download_worker.outcome import Outcome
from download_worker.places import final_path, job_folder, move_into_place, require_room
from download_worker.settings import Settings
from download_worker.sources.chain import Got, first_that_holds
from download_worker.sources.files import Local, Upload
from download_worker.sources.gamdl import Gamdl
from download_worker.sources.port import Offer, Place, Request, Source
from download_worker.sources.search import Search
from download_worker.sources.ytdlp import YtDlp
from download_worker.tags import write_tags

# What is named in the job itself. Searching for something else instead has to be asked for.
_NAMED = (SourceName.UPLOAD, SourceName.LOCAL, SourceName.GAMDL, SourceName.YTDLP)


def download(
    payload: DownloadPayload, attempt: Attempt, gateway: GatewayClient, settings: Settings
) -> Outcome:
    """Nothing appears in the audio folder before it is verified, and then all of it at once."""
    claim = attempt.claim
    request = Request(payload, claim.wanted or WantedTrack(title=""), claim.username)
    require_room(settings.audio_dir, settings.min_free_bytes)
    ffmpeg = media.find_ffmpeg()
    checks = Checks(attempt, gateway, settings, ffmpeg)

    def prepare(offer: Offer, place: Place) -> Ready:
        return checks.prepare(request, offer, place)

    sources = _in_order(payload, settings)
    with (
        job_folder(settings.audio_dir, claim.id, claim.attempt) as folder,
        first_that_holds(sources, request, folder, ffmpeg, attempt, prepare) as got,
    ):
        ready = got.held
        tagged = payload.write_tags and write_tags(ready.path, request.wanted)
        target = final_path(
            settings.audio_dir, claim.username, claim.track_id, got.offer.origin, ready.audio.suffix
        )
        was_there = target.exists()
        # The last look before the file can be seen: most cancelled jobs end here at the latest.
        attempt.check()
        move_into_place(ready.path, target, settings.audio_dir)
    attempt.report("attaching", 99)

    def discard() -> None:
        if not was_there:
            target.unlink(missing_ok=True)

    def settle() -> None:
        if got.source == SourceName.UPLOAD:
            (settings.audio_dir / got.offer.origin).unlink(missing_ok=True)

    return Outcome(_done(got, target, tagged=tagged, settings=settings), discard, settle)


def _done(got: Got[Ready], target: Path, *, tagged: bool, settings: Settings) -> DownloadDone:
    ready, stat = got.held, target.stat()
    return DownloadDone(
        audio_path=target.relative_to(settings.audio_dir).as_posix(),
        duration_seconds=round(ready.audio.duration_seconds, 3),
        source_url=got.offer.origin,
        source=got.source,
        size_bytes=stat.st_size,
        mtime_ns=stat.st_mtime_ns,
        codec=ready.audio.codec,
        lossless=ready.source.lossless and ready.audio.lossless,
        tags_written=tagged,
        fingerprint=ready.fingerprint,
        tried=got.tried,
    )


def _in_order(payload: DownloadPayload, settings: Settings) -> list[Source]:
    ytdlp = YtDlp(settings)
    known: list[Source] = [
        Upload(settings),
        Local(settings),
        Gamdl(settings),
        ytdlp,
        Search(settings, ytdlp),
    ]
    by_name = {source.name: source for source in known}
    return [by_name[name] for name in dict.fromkeys(payload.sources or _NAMED)]
