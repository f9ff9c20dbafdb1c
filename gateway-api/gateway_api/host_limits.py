"""How many downloads may come from one host at once, and how far apart they begin.

Written as ``youtube.com=2/3 *=4/0``: from youtube.com and all below it two at a time, begun at least three
seconds apart; from each other host four at a time.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

_ALIASES = {"youtu.be": "youtube.com", "youtube-nocookie.com": "youtube.com"}
_ANY = "*"


@dataclass(frozen=True)
class HostLimit:
    at_once: int
    seconds_apart: float


@dataclass(frozen=True)
class HostLimits:
    others: HostLimit
    named: dict[str, HostLimit]

    @classmethod
    def parse(cls, text: str) -> "HostLimits":
        """Raises ValueError with a sentence that says how it is written."""
        named: dict[str, HostLimit] = {}
        for entry in text.replace(",", " ").split():
            host, _, limit = entry.partition("=")
            at_once, _, apart = limit.partition("/")
            try:
                found = HostLimit(int(at_once), float(apart or 0))
            except ValueError:
                found = HostLimit(0, 0)
            if not host or found.at_once < 1 or not 0 <= found.seconds_apart <= 86400:
                raise ValueError(f"{entry!r} is not like youtube.com=2/3 (at once / seconds apart)")
            named[host.lower()] = found
        return cls(named.pop(_ANY, HostLimit(4, 0)), named)

    def of(self, host: str) -> HostLimit:
        return self.named.get(host, self.others)

    def host_of(self, url: str | None) -> str | None:
        """The name under which a link is counted: the named host that it lies below, or its own."""
        try:
            host = urlsplit(url).hostname if url else None
        except ValueError:
            return None  # the worker says what is wrong with the link
        if not host:
            return None
        host = _ALIASES.get(host, host)
        below = (name for name in self.named if host == name or host.endswith(f".{name}"))
        return max(below, key=len, default=host)
