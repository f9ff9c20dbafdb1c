"""The step before every start: folders change hands once, secrets are made once and stay."""

import os
import tomllib
from pathlib import Path

import pytest

from migrations import prepare


def test_a_folder_that_belongs_to_another_is_handed_over_with_what_is_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "audio").mkdir(parents=True)
    (folder / "audio" / "a.mp3").touch()
    (folder / "away").symlink_to("/nowhere")
    uid, gid = os.getuid() + (os.getuid() == 0), os.getgid()
    if os.getuid() != 0:
        pytest.skip("only root may give a file away")
    assert prepare.hand_over(folder, uid, gid)
    assert {path.lstat().st_uid for path in (folder, *folder.rglob("*"))} == {uid}
    assert not prepare.hand_over(folder, uid, gid)


def test_secrets_are_made_once_and_stay(tmp_path: Path) -> None:
    for name in ("db", "search", "app"):
        (tmp_path / name).mkdir()
    prepare.prepare_secrets(tmp_path, {})
    first = {path.name: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    prepare.prepare_secrets(tmp_path, {})
    assert first == {path.name: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    files = {"postgres-password", "database-url", "redis-password", "redis-url", "service-token"}
    assert set(first) == files | {"meili-key", "meilisearch.toml"}
    assert tomllib.loads(first["meilisearch.toml"]) == {"master_key": first["meili-key"]}
    assert len(first["service-token"]) >= 16
    assert first["postgres-password"] in first["database-url"]


def test_a_given_secret_wins_and_may_hold_any_character(tmp_path: Path) -> None:
    for name in ("db", "search", "app"):
        (tmp_path / name).mkdir()
    prepare.prepare_secrets(tmp_path, {})
    prepare.prepare_secrets(tmp_path, {"POSTGRES_PASSWORD": "a/b@c:d"})
    assert (tmp_path / "db" / "postgres-password").read_text() == "a/b@c:d"
    assert (tmp_path / "db" / "database-url").read_text() == "postgresql://dj:a%2Fb%40c%3Ad@postgres:5432/dj"
