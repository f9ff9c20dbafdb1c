"""How limits by host are written, and which links count together."""

import pytest

from gateway_api.host_limits import HostLimit, HostLimits

LIMITS = HostLimits.parse("youtube.com=2/3, bandcamp.com=1 *=4/0.5")


@pytest.mark.parametrize(
    ("url", "host", "limit"),
    [
        ("https://youtu.be/x", "youtube.com", HostLimit(2, 3)),
        ("https://music.youtube.com/watch?v=x", "youtube.com", HostLimit(2, 3)),
        ("https://artist.bandcamp.com/track/x", "bandcamp.com", HostLimit(1, 0)),
        ("https://notbandcamp.com/x", "notbandcamp.com", HostLimit(4, 0.5)),
        ("http://EXAMPLE.org:8080/a.mp3", "example.org", HostLimit(4, 0.5)),
    ],
)
def test_links_below_a_named_host_count_together(url: str, host: str, limit: HostLimit) -> None:
    assert LIMITS.host_of(url) == host
    assert LIMITS.of(host) == limit


@pytest.mark.parametrize("url", [None, "", "no link", "http://[::1", "file:///a"])
def test_what_names_no_host_has_none(url: str | None) -> None:
    assert LIMITS.host_of(url) is None


@pytest.mark.parametrize("text", ["a", "a=", "a=0", "a=-1", "a=1/x", "=1", "a=1/-1", "a=1/nan"])
def test_a_limit_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not like"):
        HostLimits.parse(text)
