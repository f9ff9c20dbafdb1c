"""Which links and addresses of the network a service may reach on behalf of a stranger."""

import ipaddress
import urllib.parse

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_LONGEST_URL = 4096


class URLForbidden(ValueError):
    """The message says why the URL is not fetched."""


def check_url(url: str) -> None:
    if len(url) > _LONGEST_URL:
        raise URLForbidden(f"The link is longer than {_LONGEST_URL} characters.")
    if any(ord(char) <= 32 or ord(char) == 127 for char in url):
        raise URLForbidden("The link has spaces or control characters in it.")
    try:
        parts = urllib.parse.urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as exc:
        raise URLForbidden("The link is malformed.") from exc
    if parts.scheme not in ("http", "https"):
        raise URLForbidden("Only links that start with http:// or https:// are fetched.")
    if not host:
        raise URLForbidden("The link names no host.")


def is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        inner = _embedded_ipv4(address)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _embedded_ipv4(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that a translator behind this IPv6 address would connect to."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
