"""A backup holds everything of one moment, and a restore brings it back or changes nothing."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from gateway_api.adapters.backup_folder import Run
from gateway_api.db import make_pool
from gateway_api.features.backup.make import make_backup
from gateway_api.features.backup.runner import is_due
from gateway_api.features.backup.usecases import prune_scheduled
from migrations.migrate import migrate, read_migrations

HOSTILE = 'tab\there "quoted" \\N \\. \x1f 夜 100%'


async def make(gateway: Any) -> str:
    answer = await gateway.http.post("/api/backup", params={"wait": True})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["name"])


async def restore(gateway: Any, name: str, *, dry_run: bool = False) -> dict[str, Any]:
    answer = await gateway.http.post("/api/restore", json={"name": name, "dry_run": dry_run})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def change_of(report: dict[str, Any], table: str) -> tuple[int, ...]:
    change = next(one for one in report["tables"] if one["table"] == table)
    return tuple(change[name] for name in ("rows_now", "rows_after", "added", "removed", "changed"))


@pytest.fixture
async def collection(gateway: Any) -> dict[str, Any]:
    """Two people's tracks, a correction, a playlist, an uploaded file."""
    await gateway.http.post("/api/friends", json={"username": "ana"})
    await gateway.add_track(track_id="1-A1", title=HOSTILE, bpm=124.5, key="8A", genres=["House", "a,b"])
    await gateway.add_track(track_id="1-A1", title="Hers", username="ana")
    uploaded = await gateway.http.post("/api/upload", files={"file": ("Ana - Sun.mp3", b"\xff" * 5000)})
    body = {"name": "Set", "track_ids": ["1-A1", uploaded.json()["track_id"]]}
    await gateway.http.post("/api/playlists", json=body)
    return dict(uploaded.json())


@pytest.fixture
def second_database_url(empty_database_url: str) -> str:
    migrate(empty_database_url)
    return empty_database_url


async def read_all(gateway: Any) -> Any:
    return [
        await gateway.get(path, username=username)
        for username in ("dj", "ana")
        for path in ("/api/tracks", "/api/playlists", "/api/jobs")
    ]


async def test_what_was_deleted_and_changed_comes_back(gateway: Any, collection: dict[str, Any]) -> None:
    before = await read_all(gateway)
    name = await make(gateway)
    await gateway.http.patch("/api/tracks/1-A1", json={"title": "Spoilt", "bpm": None})
    await gateway.http.delete("/api/playlists/1")
    await gateway.http.delete("/api/friends", params={"username": "ana", "with_tracks": True})
    await gateway.add_track(track_id="2-A1", title="New since")

    planned = await restore(gateway, name, dry_run=True)
    assert planned["restored"] is False
    assert change_of(planned, "tracks") == (3, 3, 1, 1, 1)
    assert change_of(planned, "playlists") == (0, 1, 1, 0, 0)
    assert (await gateway.get("/api/tracks/1-A1"))["title"] == "Spoilt"

    done = await restore(gateway, name)
    assert done["restored"] is True
    assert await read_all(gateway) == before
    assert (await gateway.get("/api/tracks/search", q="夜"))["hits"][0]["track_id"] == "1-A1"

    # New rows do not run into the ids of the old ones, and the way back from the restore is kept.
    made = await gateway.http.post("/api/playlists", json={"name": "Next"})
    assert made.json()["id"] == 2
    await restore(gateway, done["safety_backup"])
    assert (await gateway.get("/api/tracks/1-A1"))["title"] == "Spoilt"


async def test_a_backup_moves_to_an_empty_system(
    gateway: Any,
    collection: dict[str, Any],
    make_settings: Callable[..., Any],
    running_gateway: Callable[..., Any],
    second_database_url: str,
    tmp_path: Path,
) -> None:
    before = await gateway.get("/api/tracks")
    file = (await gateway.http.get(f"/api/backups/{await make(gateway)}")).content
    settings = make_settings(
        database_url=SecretStr(second_database_url),
        audio_dir=tmp_path / "elsewhere",
        default_username="someone",
    )
    async with running_gateway(settings) as other:
        brought = await other.http.put("/api/backups/from-the-old-one.zip", content=file)
        assert (brought.status_code, brought.json()["reason"]) == (201, "uploaded")
        again = await other.http.put("/api/backups/from-the-old-one.zip", content=file)
        assert again.status_code == 409
        report = await restore(other, "from-the-old-one.zip")
        assert report["safety_backup"] is None
        assert (report["audio"]["files"], report["audio"]["missing"]) == (1, 1)
        assert report["audio"]["examples"] == [collection["local_audio_url"]]
        assert await other.get("/api/tracks", username="dj") == before
        friends = (await other.get("/api/friends"))["results"]
        assert {friend["username"] for friend in friends} == {"ana", "dj", "someone"}


async def test_the_manifest_knows_the_audio_by_its_content(gateway: Any, collection: dict[str, Any]) -> None:
    name = await make(gateway)
    manifest = await gateway.get(f"/api/backups/{name}/manifest")
    assert manifest["audio"]["files"] == 1
    assert {"tracks": 3, "friends": 2, "playlist_tracks": 2}.items() <= {
        table["name"]: table["rows"] for table in manifest["tables"]
    }.items()
    with zipfile.ZipFile(gateway.services.backups.get(name)) as archive:
        line = json.loads(archive.read("audio.jsonl"))
    assert (line["path"], line["size"]) == (collection["local_audio_url"], 5000)
    assert line["sha256"].startswith(collection["local_audio_url"].split("/")[-1].partition("-")[0])
    # Another content under the same name is seen, once it has been read.
    (gateway.services.audio.managed / line["path"]).write_bytes(b"other" * 1000)
    await make(gateway)
    assert (await restore(gateway, name, dry_run=True))["audio"]["different"] == 1


async def test_backups_are_listed_fetched_and_deleted(gateway: Any, collection: dict[str, Any]) -> None:
    asked = await gateway.http.post("/api/backup")
    assert asked.status_code == 202
    name = asked.json()["name"]
    assert asked.headers["location"] == f"/api/backups/{name}"
    twice = await gateway.http.post("/api/backup", params={"wait": True})
    assert name in {
        twice.json()["name"],
        *[b["name"] for b in (await gateway.get("/api/backups"))["backups"]],
    }
    listed = (await gateway.get("/api/backups"))["backups"]
    assert {one["state"] for one in listed} == {"complete"}
    fetched = await gateway.http.get(f"/api/backups/{name}")
    assert len(fetched.content) == next(one["size_bytes"] for one in listed if one["name"] == name)
    assert (await gateway.http.delete(f"/api/backups/{name}")).status_code == 204
    for path in ("", "/state", "/manifest"):
        assert (await gateway.http.get(f"/api/backups/{name}{path}")).status_code == 404
    assert not list(gateway.services.backups.path.glob(".*.partial"))


@pytest.mark.parametrize("name", ["..%2Fx.zip", "x.tar", ".hidden.zip", "a%00.zip"])
async def test_no_name_leads_out_of_the_folder(gateway: Any, name: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        answer = await gateway.http.request(method, f"/api/backups/{name}", content=b"")
        assert answer.status_code in (404, 405, 422), (method, answer.text)


async def test_what_is_no_backup_is_refused_and_leaves_nothing(
    gateway: Any, collection: dict[str, Any]
) -> None:
    whole = gateway.services.backups.get(await make(gateway)).read_bytes()
    damaged = bytearray(whole)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        damaged[archive.getinfo("tables/tracks.copy").header_offset + 100] ^= 0xFF
    for content in (b"", b"no zip", whole[:-100], bytes(damaged)):
        answer = await gateway.http.put("/api/backups/bad.zip", content=content)
        assert (answer.status_code, answer.json()["code"]) == (422, "malformed"), answer.text
    assert (await gateway.http.get("/api/backups/bad.zip")).status_code == 404
    assert len(list(gateway.services.backups.path.glob("*.zip"))) == 1


def rewrite(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(members["manifest.json"])
    change(manifest)
    members["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


async def test_a_backup_of_a_newer_schema_is_refused(gateway: Any, collection: dict[str, Any]) -> None:
    name = await make(gateway)

    def add(manifest: dict[str, Any]) -> None:
        manifest["migrations"].append({"name": "9999_future.sql", "checksum": "0" * 64})

    rewrite(gateway.services.backups.get(name), add)
    for dry_run in (True, False):
        answer = await gateway.http.post("/api/restore", json={"name": name, "dry_run": dry_run})
        assert answer.status_code == 409
        assert "newer version" in answer.json()["detail"]


async def test_a_backup_that_postgres_refuses_changes_nothing(
    gateway: Any, collection: dict[str, Any]
) -> None:
    name = await make(gateway)

    def rename(manifest: dict[str, Any]) -> None:
        table = next(table for table in manifest["tables"] if table["name"] == "tracks")
        table["columns"][0] = 'nonsense"; drop table tracks; --'

    rewrite(gateway.services.backups.get(name), rename)
    before = await read_all(gateway)
    answer = await gateway.http.post("/api/restore", json={"name": name, "dry_run": False})
    assert answer.status_code == 409
    assert "nothing was changed" in answer.json()["detail"]
    assert await read_all(gateway) == before


async def test_a_backup_of_the_first_release_is_brought_forward(
    gateway: Any, collection: dict[str, Any], database_url: str, empty_database_url: str
) -> None:
    """Made of a database that knows the first two migrations only, as it stood then."""
    ours = read_migrations()
    migrate(empty_database_url, ours[:2])
    with psycopg.connect(empty_database_url) as conn:
        conn.execute("insert into friends (username) values ('dj')")
        conn.execute("insert into tracks (username, track_id, title) values ('dj', '7-A1', 'Ночь')")
        conn.execute("insert into playlists (username, name) values ('dj', 'Old set')")
        conn.execute("insert into playlist_tracks values (1, 1, 'dj', '7-A1')")
    folder, name = gateway.services.backups, "from-the-first-release.zip"
    async with make_pool(empty_database_url, 2) as old:
        with folder.writing(name) as path:
            await make_backup(
                path,
                db=old,
                storage=gateway.services.storage,
                with_checksums=True,
                on_progress=lambda _stage, _progress: None,
            )
    assert (await restore(gateway, name, dry_run=True))["restored"] is False
    report = await restore(gateway, name)
    assert report["migrations_to_apply"] == [migration.name for migration in ours[2:]]
    assert [track["title"] for track in (await gateway.get("/api/tracks"))["tracks"]] == ["Ночь"]
    assert [track["title"] for track in (await gateway.get("/api/search", q="ноч"))["hits"]] == ["Ночь"]
    assert (await gateway.get("/api/playlists"))[0]["tracks"][0]["track_id"] == "7-A1"
    with psycopg.connect(database_url) as conn:
        ledger = conn.execute("select name, checksum from schema_migrations order by name").fetchall()
    assert ledger == [(migration.name, migration.checksum) for migration in ours]


async def test_the_schema_after_a_restore_is_the_one_the_migrations_make(
    gateway: Any, collection: dict[str, Any], database_url: str
) -> None:
    from migrations.dump import SCHEMA, dump_schema
    from standalone.postgres import bin_dir

    await restore(gateway, await make(gateway))
    assert dump_schema(database_url, str(bin_dir() / "pg_dump")) == SCHEMA.read_text()


async def test_scheduled_ones_come_in_time_and_the_oldest_go(gateway: Any) -> None:
    folder = gateway.services.backups
    now = datetime.now(UTC)
    assert is_due(folder, timedelta(hours=24), now)
    await make(gateway)
    assert not is_due(folder, timedelta(hours=24), now)
    assert is_due(folder, timedelta(hours=24), now + timedelta(hours=25))
    for number in range(4):
        (folder.path / f"dj-2026010{number}-000000-abcd-schedule.zip").write_bytes(b"x")
    prune_scheduled(folder, 2)
    reasons = [one.reason for one in folder.list_finished()]
    assert sorted(reasons) == ["hand", "schedule", "schedule"]


async def test_one_that_failed_stops_none_that_comes_later(gateway: Any) -> None:
    folder = gateway.services.backups
    folder.save_run(Run(name=folder.new_name("schedule"), reason="schedule", state="failed"))
    (folder.path / "dj-cut-off.zip.json").write_text("")
    now = datetime.now(UTC)
    assert not is_due(folder, timedelta(hours=24), now)
    assert is_due(folder, timedelta(hours=24), now + timedelta(hours=2))
    assert (await gateway.http.get("/api/backups")).status_code == 200


async def test_one_that_a_killed_gateway_began_is_made_by_the_next(
    gateway: Any, eventually: Callable[..., Any]
) -> None:
    folder = gateway.services.backups
    folder.path.mkdir(parents=True)
    leftover = folder.path / ".abc.partial"
    leftover.write_bytes(b"half")
    name = folder.new_name("hand")
    note = {"name": name, "reason": "hand", "state": "running", "stage": "table tracks", "progress": 0.2}
    (folder.path / f"{name}.json").write_text(json.dumps(note))

    async def made() -> bool:
        return bool((await gateway.get(f"/api/backups/{name}/state"))["state"] == "complete")

    await eventually(made)
    assert not leftover.exists()
