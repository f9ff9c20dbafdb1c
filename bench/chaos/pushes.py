"""What is asked for: links to files that all sound different, and some that lead nowhere."""

import hashlib
import io
import json
import random
import wave
from dataclasses import dataclass

import numpy as np

_RATE = 22050
_SECONDS = 6
_NOTES_A_SECOND = 4


@dataclass(frozen=True)
class Wish:
    """``content`` is None, and ``code`` the reason to expect, for a link that leads nowhere."""

    track_id: str
    raw: str
    older_id: str | None
    name: str
    content: bytes | None
    code: str | None

    @property
    def digest(self) -> str | None:
        return hashlib.sha256(self.content).hexdigest() if self.content else None


def make_wishes(count: int, web_url: str, rng: random.Random) -> list[Wish]:
    return [_wish(number, web_url, rng) for number in range(count)]


def _wish(number: int, web_url: str, rng: random.Random) -> Wish:
    track_id, name = f"chaos-{number}", f"track-{number}.wav"
    content, code = (None, "source_gone") if number % 10 == 9 else (_melody(rng), None)
    url = f"{web_url}/{name}"
    if number % 2:
        older_id = f"older-{number}"
        push = {"job_id": older_id, "job_type": "download", "track_id": track_id, "youtube_url": url}
        return Wish(track_id, json.dumps(push), older_id, name, content, code)
    push = {"track_id": track_id, "source": "youtube", "url": url}
    return Wish(track_id, json.dumps(push), None, name, content, code)


def _melody(rng: random.Random) -> bytes:
    """Random notes over a beat: no two sound alike, as fingerprints see it."""
    samples = np.zeros(_RATE * _SECONDS)
    length = _RATE // _NOTES_A_SECOND
    time = np.arange(length) / _RATE
    for start in range(0, len(samples) - length + 1, length):
        pitches = (110 * 2 ** (rng.randrange(36) / 12) for _ in range(2))
        fade = np.exp(-6 * time)
        samples[start : start + length] = sum(np.sin(2 * np.pi * pitch * time) for pitch in pitches) * fade
    samples += np.random.default_rng(rng.randrange(2**32)).normal(0, 0.02, len(samples))
    scaled = (samples / np.abs(samples).max() * 20000).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        file.writeframes(scaled.tobytes())
    return buffer.getvalue()
