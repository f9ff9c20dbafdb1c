"""Settings: empty counts as unset, secrets come from files, mistakes name the variable."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from dj_servicekit.settings import ServiceSettings, load_settings


class Example(ServiceSettings):
    database_url: SecretStr
    port: int = 8000


def test_a_missing_variable_is_named_and_ends_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(SystemExit) as stop:
        load_settings(Example)
    assert stop.value.code == 2
    assert "DATABASE_URL is not set" in capsys.readouterr().err


def test_a_secret_is_read_from_its_file_without_the_newline(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql://x\n")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DATABASE_URL_FILE", str(secret))
    assert load_settings(Example).database_url.get_secret_value() == "postgresql://x"


def test_both_forms_of_a_secret_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "a")
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "b"))
    with pytest.raises(SystemExit):
        load_settings(Example)
    assert "not both" in capsys.readouterr().err


def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("DATABASE_URL", "a")
    monkeypatch.setenv("PORT", "eight")
    with pytest.raises(SystemExit):
        load_settings(Example)
    assert capsys.readouterr().err.startswith("PORT: ")


def test_a_secret_is_not_in_the_text_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hunter2@h/d")
    assert "hunter2" not in repr(load_settings(Example))
