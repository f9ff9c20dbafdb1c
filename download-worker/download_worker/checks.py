"""What stands between a fetched file and its track: whole, as long as it should be, and no other's."""

from dataclasses import dataclass
from pathlib import Path

from dj_contracts.downloads import Fingerprint, FingerprintQuestion
from dj_contracts.errors import ErrorCode
from download_worker import media
from download_worker.attempt import Attempt
from download_worker.errors import JobFailed
from download_worker.fingerprint import take_fingerprint
from download_worker.gateway import GatewayClient
from download_worker.media import Audio
from download_worker.settings import Settings
from download_worker.sources.matching import close_seconds, same_name
from download_worker.sources.port import Offer, Place, Request

_LEAST_LOOSE_SECONDS = 10.0
_LOOSE_SHARE = 0.05


@dataclass(frozen=True)
class Ready:
    """A file that may be attached. ``source`` is the audio as it came, before any conversion."""

    path: Path
    audio: Audio
    source: Audio
    fingerprint: Fingerprint | None


class Checks:
    def __init__(self, attempt: Attempt, gateway: GatewayClient, settings: Settings, ffmpeg: str) -> None:
        self._attempt = attempt
        self._gateway = gateway
        self._settings = settings
        self._ffmpeg = ffmpeg
        self._limit = settings.download_timeout_seconds

    def prepare(self, request: Request, offer: Offer, place: Place) -> Ready:
        """Fetch an offer, and make of it what may be attached."""
        path = offer.fetch(place, self._attempt)
        self._attempt.report("verifying", 92)
        audio = source = self._verify(path)
        check_length(audio.duration_seconds, request, strict=offer.is_find)
        if not audio.stands_alone:
            self._attempt.report("taking the sound out of the video", 95)
            path = media.take_audio_out(path, audio, self._ffmpeg, self._attempt, timeout_seconds=self._limit)
        fingerprint = take_fingerprint(
            path, audio.duration_seconds, self._ffmpeg, self._attempt, timeout_seconds=self._limit
        )
        self._check_no_other_sounds_so(request, fingerprint)
        wish = request.payload.format
        if wish and wish != audio.suffix:
            self._attempt.report(f"converting to {wish}", 96)
            path = media.convert(path, audio, wish, self._ffmpeg, self._attempt, timeout_seconds=self._limit)
            audio = self._verify(path)
        return Ready(path, audio, source, fingerprint)

    def _verify(self, path: Path) -> Audio:
        return media.verify(path, self._ffmpeg, self._attempt, timeout_seconds=self._limit)

    def _check_no_other_sounds_so(self, request: Request, fingerprint: Fingerprint | None) -> None:
        """The same recording may stand on two releases. Under two names, one of them is wrong."""
        if fingerprint is None or request.payload.allow_duplicate:
            return
        question = FingerprintQuestion(
            username=request.username, track_id=self._attempt.claim.track_id, fingerprint=fingerprint
        )
        answer = self._gateway.find_same_sound(
            question, patience_seconds=self._settings.report_patience_seconds
        )
        wanted = request.wanted
        for match in answer.matches:
            if not same_name(wanted.title, wanted.artist, match.title, match.artist):
                raise JobFailed(
                    ErrorCode.DUPLICATE_AUDIO,
                    f"This is the recording that “{match.title}” ({match.track_id}) has already. If both are"
                    " right, ask again with allow_duplicate; otherwise give another link.",
                )


def check_length(seconds: float, request: Request, *, strict: bool) -> None:
    """A find of a search has to fit closely; what a person named has room for a longer silence at the end."""
    expected = request.payload.duration_seconds or request.wanted.duration_seconds
    if expected is None or (request.payload.any_length and not strict):
        return
    allowed = close_seconds(expected) if strict else max(_LEAST_LOOSE_SECONDS, _LOOSE_SHARE * expected)
    if abs(seconds - expected) > allowed:
        raise JobFailed(
            ErrorCode.WRONG_LENGTH,
            f"This plays {_clock(seconds)}, and the track should play {_clock(expected)}: it may be another"
            " version. If it is right, ask again with any_length; otherwise give another link.",
        )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
