"""Which addresses a download may reach: public ones, and what the settings make an exception for.

The check sits on the connect call itself, as an audit hook of the interpreter: each redirect, each
library and each answer of a rebinding name server passes it. It stays for the life of the process,
so it belongs in the process that downloads and nowhere else.
"""

import ipaddress
import socket
import sys
import urllib.parse
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from dj_servicekit.addresses import Address, URLForbidden, check_url, is_public

__all__ = ["AddressForbidden", "ConnectGuard", "URLForbidden", "check_url", "is_public", "resolve_allowed"]


class AddressForbidden(OSError):
    """An OSError, so that every HTTP library ends its connection attempt in order."""


class ConnectGuard:
    """Remembers what it refused, because libraries bury the reason under their own errors."""

    def __init__(self, allowed: Iterable[tuple[Address, int | None]] = ()) -> None:
        self._allowed = frozenset(allowed)
        self.refused: str | None = None

    def install(self) -> None:
        sys.addaudithook(self._hook)

    def check(self, host: str, port: int) -> None:
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            # A name here would be resolved once more behind the check.
            self._refuse(host)
        if (address, port) in self._allowed or (address, None) in self._allowed or is_public(address):
            return
        self._refuse(str(address))

    def _refuse(self, host: str) -> None:
        self.refused = host
        raise AddressForbidden(f"{host} is not a public address.")

    def _hook(self, event: str, args: tuple[Any, ...]) -> None:
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            address = args[1] if len(args) > 1 else None
            if isinstance(address, tuple) and len(address) >= 2:
                self.check(str(address[0]), int(address[1]))
            elif address is not None:
                self._refuse(str(address))
        elif event == "subprocess.Popen":
            _check_command(args[1])


def _check_command(command: Any) -> None:
    """ffmpeg opens what stands behind ``-i`` by itself, where no hook of ours can see it."""
    words = [str(word) for word in command] if isinstance(command, list | tuple) else [str(command)]
    for flag, value in pairwise(words):
        if flag == "-i" and "://" in value:
            raise AddressForbidden("A helper program was to open a link by itself.")


def resolve_allowed(hosts: str) -> set[tuple[Address, int | None]]:
    """``host[:port],...`` as addresses; a name that does not resolve allows nothing."""
    allowed: set[tuple[Address, int | None]] = set()
    for entry in filter(None, (part.strip() for part in hosts.split(","))):
        parts = urllib.parse.urlsplit(f"//{entry}")
        if not parts.hostname:
            continue
        try:
            found = socket.getaddrinfo(parts.hostname, parts.port, type=socket.SOCK_STREAM)
        except OSError:
            continue
        allowed.update(
            (ipaddress.ip_address(str(item[4][0]).partition("%")[0]), parts.port) for item in found
        )
    return allowed
