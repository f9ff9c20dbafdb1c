"""A web server of audio that can be slow, cut off, wrong, huge, redirecting, rate-limiting, and searched."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from download_worker.testing.server import Handler, serving

_STEPS = 20
_SECONDS_A_STEP = 0.05
_BLOCK = b"\0" * 65536


@dataclass(frozen=True)
class Listed:
    """A result as a search lists it, true or not."""

    title: str
    path: str
    seconds: int | None = None


@dataclass
class AudioServer:
    """``files`` are served by name; the other paths each misbehave in their own way.

    /slow/NAME sends half of it in a second, then waits for ``gate``. /cut/NAME promises all and sends half.
    /status/N answers N. /to?URL redirects there. /endless sends until nobody listens. /search?q=WORDS
    answers with all of ``finds`` as a feed, which yt-dlp reads like any list of results.
    """

    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    url: str = ""
    finds: list[Listed] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    # When so many bytes of the last slow file had been sent: (monotonic seconds, bytes).
    sent: list[tuple[float, int]] = field(default_factory=list)


def _feed(audio: AudioServer) -> str:
    items = "".join(
        f"<item><title>{escape(find.title)}</title>"
        f"<enclosure url={quoteattr(f'{audio.url}/{find.path}')} type='audio/mpeg'/>"
        + (f"<itunes:duration>{find.seconds}</itunes:duration>" if find.seconds is not None else "")
        + "</item>"
        for find in audio.finds
    )
    return (
        "<?xml version='1.0' encoding='UTF-8'?>"
        "<rss version='2.0' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd'>"
        f"<channel><title>Results</title>{items}</channel></rss>"
    )


@contextmanager
def audio_server() -> Iterator[AudioServer]:
    audio = AudioServer()

    class AudioHandler(Handler):
        protocol_version = "HTTP/1.0"

        def do_HEAD(self) -> None:  # noqa: N802 - the base class's name
            self.do_GET()

        def do_GET(self) -> None:  # noqa: N802 - the base class's name
            audio.seen.append(self.path)
            _, first, *rest = self.path.split("/", 2)
            if first.startswith("to?"):
                return self.answer(302, headers={"Location": self.path.partition("?")[2]})
            if first == "status":
                return self.answer(int(rest[0].partition(".")[0]), b"no")
            if first.startswith("search?"):
                return self.answer(200, _feed(audio).encode(), {"Content-Type": "application/rss+xml"})
            if first.startswith("endless"):
                return self._endless()
            name = rest[0] if first in ("slow", "cut") and rest else first
            if name not in audio.files:
                return self.answer(404, b"no such file")
            kind, content = audio.files[name]
            if first not in ("slow", "cut"):
                return self.answer(200, content, {"Content-Type": kind})
            self._head(kind, len(content))
            if self.command == "HEAD":
                return None
            half = len(content) // 2
            # Each request has a list of its own: one that nobody reads any more may still be writing.
            sent = audio.sent = []
            if first == "cut":
                self.wfile.write(content[:half])
                return None
            step = half // _STEPS + 1
            for start in range(0, half, step):
                end = min(start + step, half)
                sent.append((time.monotonic(), end))
                self.wfile.write(content[start:end])
                audio.gate.wait(_SECONDS_A_STEP)
            audio.gate.wait(60)
            self.wfile.write(content[half:])
            return None

        def _head(self, kind: str, length: int) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            if length:
                self.send_header("Content-Length", str(length))
            self.end_headers()

        def _endless(self) -> None:
            self._head("audio/mpeg", 0)
            while self.command != "HEAD":
                self.wfile.write(_BLOCK)

    with serving(AudioHandler) as server:
        audio.url = server.url
        try:
            yield audio
        finally:
            audio.gate.set()
