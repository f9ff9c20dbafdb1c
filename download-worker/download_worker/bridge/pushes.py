"""What a raw push asks for, in either of its older shapes, or why nobody can tell."""

import hashlib
import json
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from dj_contracts.pushes import PushRegistration
from download_worker.guard import URLForbidden, check_url

_LONGEST_PUSH_BYTES = 65536
# Kinds that need a link of their own; the rest work on what the track has.
_NEEDS_LINK = "download"


class Poison(Exception):
    """The message is the reason that stands in the dead list."""


def _text(value: Any) -> Any:
    """Older producers send numbers for ids, and empty text for what they do not know."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value or None if isinstance(value, str) else value


# The limits stand inside, since null has no length and fits no pattern.
Given = Annotated[Annotated[str, Field(max_length=200)] | None, BeforeValidator(_text)]
GivenURL = Annotated[str | None, BeforeValidator(_text)]
OlderID = Annotated[Annotated[str, Field(pattern=r"^[A-Za-z0-9_:.-]{1,128}$")] | None, BeforeValidator(_text)]


class _Push(BaseModel):
    model_config = ConfigDict(extra="ignore")

    track_id: Annotated[str, BeforeValidator(_text), Field(min_length=1, max_length=200)]
    job_id: OlderID = None
    job_type: Annotated[str, Field(pattern=r"^[a-z][a-z-]{0,63}$")] = "download"
    username: Given = None
    friend_id: Given = None
    source: Given = None
    preferred_downloader: Given = None
    url: GivenURL = None
    youtube_url: GivenURL = None
    soundcloud_url: GivenURL = None
    apple_music_url: GivenURL = None

    def link(self) -> str | None:
        """The one that was preferred, if it was given; else the first that needs no subscription."""
        by_source = {
            "youtube": self.youtube_url,
            "soundcloud": self.soundcloud_url,
            "apple": self.apple_music_url,
        }
        wished = (self.preferred_downloader or self.source or "").lower()
        preferred = next((url for name, url in by_source.items() if url and name in wished), None)
        return self.url or preferred or next(filter(None, by_source.values()), None)


def parse(raw: bytes) -> tuple[PushRegistration, str | None]:
    """The registration, and the id under which an older reader looks for its state, if it gave one."""
    if len(raw) > _LONGEST_PUSH_BYTES:
        raise Poison(f"The push is larger than {_LONGEST_PUSH_BYTES} bytes.")
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as exc:
        raise Poison("The push is not JSON.") from exc
    if not isinstance(value, dict):
        raise Poison("The push is not a JSON object.")
    if not _can_be_stored(value):
        raise Poison("The push holds a character that no text can hold: NUL, or half of a pair.")
    try:
        push = _Push.model_validate(value)
    except ValidationError as exc:
        error = exc.errors()[0]
        raise Poison(f"{'.'.join(map(str, error['loc']))}: {error['msg']}.") from exc
    url = push.link()
    if push.job_type == _NEEDS_LINK:
        if not url:
            raise Poison("The push has no link. Give a url, youtube_url, soundcloud_url or apple_music_url.")
        try:
            check_url(url)
        except URLForbidden as exc:
            raise Poison(str(exc)) from exc
    return (
        PushRegistration(
            id=_push_id(push, url),
            identity=_identity(push, value),
            job_type=push.job_type,
            track_id=push.track_id,
            username=push.username,
            friend_id=push.friend_id,
            url=url,
            source=push.source or push.preferred_downloader,
            raw=value,
        ),
        push.job_id,
    )


def _can_be_stored(value: Any) -> bool:
    """Neither a database nor UTF-8 takes every text that JSON can spell."""
    if isinstance(value, dict):
        return all(map(_can_be_stored, [*value, *value.values()]))
    if isinstance(value, list):
        return all(map(_can_be_stored, value))
    return not isinstance(value, str) or not any(c == "\x00" or "\ud800" <= c <= "\udfff" for c in value)


def _push_id(push: _Push, url: str | None) -> str:
    parts = [push.username, push.friend_id, push.track_id, push.job_type, url]
    return "push-" + hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _identity(push: _Push, value: dict[str, Any]) -> str:
    """The producer's own id where it gave one, or else all that the push says. A push that is delivered
    again, by a bridge that was killed, a Redis that was put back or a script in a loop, is the same."""
    if push.job_id:
        return f"job-id:{push.job_id}"
    return "raw:" + hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
