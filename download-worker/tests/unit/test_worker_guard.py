"""Which addresses and links a download may reach."""

import ipaddress

import pytest

from download_worker.guard import (
    AddressForbidden,
    ConnectGuard,
    URLForbidden,
    check_url,
    is_public,
    resolve_allowed,
)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_public_addresses(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 - an address to refuse, not to bind
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.8.8.8",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2002:a00:1::",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "ftp://example.org/a.mp3",
        "gopher://example.org/",
        "data:audio/mp3;base64,AAAA",
        "javascript:alert(1)",
        "ytsearch:techno",
        "//example.org/a.mp3",
        "http://",
        "http:///a.mp3",
        "http://[::1",
        "http://example.org:port/",
        "http://example.org/a b.mp3",
        "http://example.org/a\r\nHost: inside",
        "http://example.org/" + "a" * 5000,
    ],
)
def test_links_that_are_not_fetched(url: str) -> None:
    with pytest.raises(URLForbidden):
        check_url(url)


@pytest.mark.parametrize(
    "url", ["http://example.org/a.mp3", "HTTPS://example.org:8443/ä?x=1#y", "http://[2606::1]/"]
)
def test_links_that_may_be_fetched(url: str) -> None:
    check_url(url)


@pytest.mark.enable_socket  # even an address is "resolved" through the socket module
def test_an_allowed_host_is_allowed_on_its_port_only() -> None:
    guard = ConnectGuard(resolve_allowed("127.0.0.1:8080, 10.0.0.5"))
    guard.check("127.0.0.1", 8080)
    guard.check("10.0.0.5", 1)
    assert guard.refused is None
    with pytest.raises(AddressForbidden):
        guard.check("127.0.0.1", 8081)
    assert guard.refused == "127.0.0.1"


def test_a_name_is_refused_at_connect_because_it_would_be_resolved_again() -> None:
    with pytest.raises(AddressForbidden):
        ConnectGuard().check("example.org", 80)


@pytest.mark.parametrize(
    ("event", "args"),
    [
        ("socket.connect", (None, ("127.0.0.1", 80))),
        ("socket.connect", (None, ("fe80::1%eth0", 80, 0, 2))),
        ("socket.connect", (None, "/run/docker.sock")),
        ("socket.sendto", (None, ("169.254.169.254", 53))),
        ("subprocess.Popen", ("ffmpeg", ["ffmpeg", "-i", "http://127.0.0.1/x.m3u8", "out.mp3"], None, None)),
    ],
)
def test_what_the_hook_refuses(event: str, args: tuple[object, ...]) -> None:
    with pytest.raises(AddressForbidden):
        ConnectGuard()._hook(event, args)


@pytest.mark.parametrize(
    ("event", "args"),
    [
        ("socket.connect", (None, ("8.8.8.8", 443))),
        ("open", ("/etc/hosts", "r", 0)),
        ("subprocess.Popen", ("ffmpeg", ["ffmpeg", "-i", "file:/a/b.webm", "out.opus"], None, None)),
    ],
)
def test_what_the_hook_lets_pass(event: str, args: tuple[object, ...]) -> None:
    ConnectGuard()._hook(event, args)
