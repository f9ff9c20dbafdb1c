"""Audio behind an http(s) URL, fetched into a file: only from the gateway and the hosts that settings name.

Redirects are followed by hand, so that each is checked as the first URL was. A name is looked up once and the
connection goes to the address that was checked; a name server that answers differently the second time gains
nothing by it.
"""

import asyncio
import ipaddress
import socket
import ssl
import threading
from functools import cache
from typing import IO

import httpx
from fastapi.concurrency import run_in_threadpool

from dj_contracts.errors import ErrorCode
from dj_servicekit.addresses import URLForbidden, check_url, is_public
from dj_servicekit.errors import (
    Forbidden,
    Malformed,
    TooLarge,
    UpstreamFailed,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from essentia_api.errors import FileMissing, GivenUp, Unusable
from essentia_api.settings import Settings

ANY_PUBLIC_HOST = "*"
_MOST_REDIRECTS = 5
_SILENCE_SECONDS = 20.0  # what may pass between two packets
_DEFAULT_PORTS = {"http": 80, "https": 443}
_GONE = (404, 410)


async def fetch(url: str, into: IO[bytes], settings: Settings, given_up: threading.Event) -> None:
    """Write what stands behind the URL to ``into``, within the limits on size and time."""
    try:
        async with asyncio.timeout(settings.fetch_timeout_seconds):
            await _follow(url, into, settings, given_up)
    except (TimeoutError, httpx.TimeoutException) as exc:
        raise _too_slow(settings) from exc
    except httpx.ConnectError as exc:
        raise UpstreamUnavailable("The server of this link cannot be reached. Ask again later.") from exc
    except httpx.InvalidURL as exc:
        raise Malformed("The link is malformed.") from exc
    except httpx.TransportError as exc:
        raise UpstreamFailed("The server of this link broke off before the end. Ask again.") from exc
    if into.tell() == 0:
        raise Unusable("There are 0 bytes behind this link.", code=ErrorCode.FILE_EMPTY)


async def _follow(url: str, into: IO[bytes], settings: Settings, given_up: threading.Event) -> None:
    # No proxy and no .netrc of the environment: they would lead around the check of the address.
    certificates = await run_in_threadpool(_certificates)
    async with httpx.AsyncClient(trust_env=False, verify=certificates) as client:
        for _ in range(_MOST_REDIRECTS + 1):
            target = _checked(url)
            address = await _address(target, settings)
            response = await client.send(_request(target, address, settings), stream=True)
            try:
                if not response.has_redirect_location:
                    await _save(response, into, settings, given_up)
                    return
                url = str(target.join(response.headers["location"]))
            finally:
                await response.aclose()
    raise UpstreamFailed(f"The link leads through more than {_MOST_REDIRECTS} redirects.")


@cache
def _certificates() -> ssl.SSLContext:
    """Reading them takes as long as a request may wait for others."""
    return httpx.create_ssl_context(trust_env=False)


def _checked(url: str) -> httpx.URL:
    try:
        check_url(url)
    except URLForbidden as exc:
        raise Malformed(str(exc)) from exc
    target = httpx.URL(url)
    try:
        _ = target.host
    except UnicodeError as exc:
        raise Malformed("The link names a host that cannot exist.") from exc
    if target.userinfo:
        raise Malformed("The link holds a user name or a password. Give one without them.")
    return target


async def _address(target: httpx.URL, settings: Settings) -> str:
    """The address to connect to: any of a host that the settings name, a public one of others if allowed."""
    host, port = target.host.rstrip(".").lower(), target.port or _DEFAULT_PORTS[target.scheme]
    allowed = _allowed(settings)
    named = bool(allowed & {(host, port), (host, None)})
    if not named and (ANY_PUBLIC_HOST, None) not in allowed:
        raise _forbidden("Links to this host are not fetched. Name it in ALLOW_URL_HOSTS to allow them.")
    try:
        answers = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise UpstreamUnavailable("The host of this link cannot be found. Ask again later.") from exc
    for *_, address in answers:
        found = str(address[0])
        if named or is_public(ipaddress.ip_address(found.partition("%")[0])):
            return found
    raise _forbidden("This link leads to an address that is not public. Name its host in ALLOW_URL_HOSTS.")


def _allowed(settings: Settings) -> set[tuple[str, int | None]]:
    gateway = httpx.URL(settings.gateway_url)
    allowed: set[tuple[str, int | None]] = {
        (gateway.host.lower(), gateway.port or _DEFAULT_PORTS.get(gateway.scheme))
    }
    for entry in filter(None, (part.strip() for part in settings.allow_url_hosts.split(","))):
        host = httpx.URL(f"//{entry}")
        allowed.add((host.host.lower(), host.port))
    return allowed


def _request(target: httpx.URL, address: str, settings: Settings) -> httpx.Request:
    headers = {"Host": target.netloc.decode("ascii"), "Accept-Encoding": "identity"}
    gateway = httpx.URL(settings.gateway_url)
    its_own = (target.scheme, target.host, target.port) == (gateway.scheme, gateway.host, gateway.port)
    if settings.api_token is not None and its_own:
        headers["Authorization"] = f"Bearer {settings.api_token.get_secret_value()}"
    return httpx.Request(
        "GET",
        target.copy_with(host=address, fragment=None),
        headers=headers,
        extensions={"sni_hostname": target.host, "timeout": httpx.Timeout(_SILENCE_SECONDS).as_dict()},
    )


async def _save(
    response: httpx.Response, into: IO[bytes], settings: Settings, given_up: threading.Event
) -> None:
    if response.status_code in _GONE:
        raise FileMissing("There is no file behind this link any more.")
    if response.status_code != 200:
        raise UpstreamFailed(f"The server of this link answered {response.status_code} instead of a file.")
    declared = response.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > settings.max_file_bytes:
        raise _too_large(settings)
    async for block in response.aiter_raw():
        await run_in_threadpool(into.write, block)
        if into.tell() > settings.max_file_bytes:
            raise _too_large(settings)
        if given_up.is_set():
            raise GivenUp
    into.flush()


def _forbidden(detail: str) -> Forbidden:
    return Forbidden(detail, code=ErrorCode.SOURCE_FORBIDDEN)


def _too_large(settings: Settings) -> TooLarge:
    return TooLarge(
        f"The file behind this link is larger than {settings.max_file_bytes:,} bytes (MAX_FILE_BYTES)."
    )


def _too_slow(settings: Settings) -> UpstreamTimeout:
    return UpstreamTimeout(
        f"The file did not arrive within {settings.fetch_timeout_seconds:.0f} seconds "
        "(FETCH_TIMEOUT_SECONDS). Ask again when its server is less busy."
    )
