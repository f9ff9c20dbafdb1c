"""Settings that would open the gateway to strangers are refused."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gateway_api.settings import Settings

GOOD: dict[str, Any] = {
    "database_url": "postgresql://x",
    "redis_url": "redis://x",
    "service_token": "0123456789abcdef",
    "audio_dir": Path("/audio"),
}


def test_a_public_address_needs_a_credential() -> None:
    with pytest.raises(ValidationError, match="listens beyond this machine without a credential"):
        Settings(**GOOD, host="0.0.0.0")  # noqa: S104 - the point of the test
    Settings(**GOOD, host="0.0.0.0", api_token="0123456789abcdef")  # noqa: S104
    Settings(**GOOD, host="0.0.0.0", trust_network=True)  # noqa: S104
    Settings(**GOOD, host="127.0.0.1")


def test_in_a_container_the_published_address_decides() -> None:
    Settings(**GOOD, host="0.0.0.0", published_on="127.0.0.1")  # noqa: S104
    with pytest.raises(ValidationError, match=r"PUBLISHED_ON=0\.0\.0\.0 listens beyond this machine"):
        Settings(**GOOD, host="0.0.0.0", published_on="0.0.0.0")  # noqa: S104


def test_lists_are_written_as_people_write_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSIC_DIRS", "/a b:/c")
    monkeypatch.setenv("ALLOWED_HOSTS", "dj.local, localhost")
    settings = Settings(**GOOD)
    assert settings.music_dirs == (Path("/a b"), Path("/c"))
    assert settings.allowed_hosts == ("dj.local", "localhost")


def test_a_short_token_is_refused() -> None:
    with pytest.raises(ValidationError):
        Settings(**GOOD | {"service_token": "short"})
