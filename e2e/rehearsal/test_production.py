"""docker-compose.prod.yml with images of this machine under registry names: a life from start to move."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from e2e.rehearsal.engine import PROD, SECRETS, Stack, running
from standalone.crate import RECORDS
from standalone.demo_report import tempo_agrees


@pytest.fixture(scope="module")
def production(registry: dict[str, str]) -> Iterator[Stack]:
    with running(Stack(PROD, registry)) as stack:
        stack.up()
        yield stack


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_that_is_missing_is_asked_for_in_one_sentence(name: str) -> None:
    given = {other: value for other, value in SECRETS.items() if other != name}
    refused = Stack(PROD, given).try_compose("config", "--quiet")
    assert refused.returncode != 0
    said = refused.stderr.decode().strip()
    assert len(said.splitlines()) == 1
    assert f"Set {name} to a " in said


def test_it_can_be_pasted_where_no_other_file_is(tmp_path: Path) -> None:
    (tmp_path / "stack.yml").write_text((Path(__file__).parents[2] / PROD).read_text())
    shown = Stack("stack.yml", SECRETS, folder=tmp_path).compose("config", "--format", "json")
    services = json.loads(shown)["services"]
    assert set(services) >= {"gateway-api", "essentia-api", "ga-service", "download-worker", "postgres"}
    mounts = [mount for service in services.values() for mount in service.get("volumes", [])]
    assert {mount["type"] for mount in mounts} == {"volume"}


def test_only_the_gateway_is_published_and_only_with_the_token(production: Stack) -> None:
    published = {
        json.loads(line)["Service"]
        for line in production.compose("ps", "--format", "json").splitlines()
        if any(port["PublishedPort"] for port in json.loads(line).get("Publishers") or [])
    }
    assert published == {"gateway-api"}
    assert httpx.get(f"{production.url}/api/tracks", trust_env=False).status_code == 401
    assert production.gateway.get("/api/tracks")["tracks"] == []


def test_nothing_can_be_written_outside_of_the_volumes(production: Stack) -> None:
    for service in ("gateway-api", "essentia-api", "ga-service", "download-worker"):
        tried = production.try_compose("exec", "-T", service, "touch", "/opt/app/here")
        assert b"Read-only file system" in tried.stderr, service
    tried = production.try_compose("exec", "-T", "essentia-api", "touch", "/data/audio/here")
    assert b"Read-only file system" in tried.stderr


def test_a_compute_service_cannot_reach_the_stores(production: Stack) -> None:
    script = "import socket; socket.create_connection(('{}', {}), 3)"
    for store, port in (("postgres", 5432), ("redis", 6379)):
        for service in ("essentia-api", "ga-service"):
            tried = production.try_compose("exec", "-T", service, "python", "-c", script.format(store, port))
            assert tried.returncode != 0, f"{service} reaches {store}"


@pytest.fixture(scope="module")
def track_id(production: Stack, short_record: Path) -> str:
    """The main job: a file comes in and is measured."""
    track = production.gateway.upload(short_record)
    production.gateway.await_jobs(seconds=120)
    return str(track["track_id"])


def as_client(stack: Stack) -> httpx.Client:
    headers = {"Authorization": f"Bearer {SECRETS['API_TOKEN']}"}
    return httpx.Client(base_url=stack.url, headers=headers, timeout=60, trust_env=False)


def is_whole(stack: Stack, track_id: str, record: Path) -> bool:
    """The row, its measured tempo, and the audio byte for byte."""
    track = stack.gateway.get(f"/api/tracks/{track_id}")
    with as_client(stack) as http:
        audio = http.get(f"/api/tracks/{track_id}/audio").content
    return tempo_agrees(RECORDS[2], track["bpm"]) and audio == record.read_bytes()


def test_the_main_job_is_done_there(production: Stack, track_id: str, short_record: Path) -> None:
    assert is_whole(production, track_id, short_record)
    built = production.gateway.post("/api/sets", {"track_ids": [track_id]})
    assert [track["track_id"] for track in built["tracks"]] == [track_id]


def test_down_and_up_leaves_the_data_as_they_were(
    production: Stack, track_id: str, short_record: Path
) -> None:
    production.down()
    assert not production.containers("gateway-api")
    production.up()
    assert is_whole(production, track_id, short_record)


def test_another_user_takes_over_what_is_there(production: Stack, track_id: str, short_record: Path) -> None:
    ids = {"PUID": "1234", "PGID": "4321"}
    other = Stack(
        PROD,
        {**production.environment, **ids},
        project=production.project,
        port_base=production.port_base,
    )
    other.up()
    assert other.compose("exec", "-T", "download-worker", "id", "-u").strip() == "1234"
    owners = other.compose("exec", "-T", "gateway-api", "find", "/data", "!", "-user", "1234")
    assert not owners.strip()
    assert is_whole(other, track_id, short_record)
    other.gateway.post(f"/api/tracks/{track_id}/analyze", {})
    assert not other.gateway.await_jobs(seconds=60).get("failed")
    other.gateway.close()
    production.up()


def test_a_backup_restores_into_a_fresh_stack_that_has_the_files(
    production: Stack, registry: dict[str, str], track_id: str, short_record: Path
) -> None:
    """A move to another machine, by the words of docs/deploy.md."""
    with as_client(production) as old:
        made = old.post("/api/backup", params={"wait": True})
        assert made.status_code == 201, made.text
        path = f"/api/backups/{made.json()['name']}"
        backup = old.get(path).content
    music = production.try_compose("exec", "-T", "gateway-api", "tar", "-C", "/data", "-c", "audio").stdout
    with running(Stack(PROD, registry)) as fresh, as_client(fresh) as new:
        fresh.up()
        fresh.compose("exec", "-T", "gateway-api", "tar", "-C", "/data", "-x", stdin=music)
        assert new.put(path, content=backup).status_code == 201
        done = new.post("/api/restore", json={"name": path.rpartition("/")[2], "dry_run": False})
        assert done.is_success, done.text
        assert is_whole(fresh, track_id, short_record)


def test_cookies_come_in_and_the_worker_only_reads_them(production: Stack) -> None:
    write = ("exec", "-T", "gateway-api", "sh", "-c", "cat >/cookies/youtube.txt")
    production.compose(*write, stdin=b"# Netscape HTTP Cookie File\n")
    read = production.compose("exec", "-T", "download-worker", "cat", "/cookies/youtube.txt")
    assert read.startswith("# Netscape")
    tried = production.try_compose("exec", "-T", "download-worker", "touch", "/cookies/youtube.txt")
    assert b"Read-only file system" in tried.stderr


def test_an_upgrade_migrates_and_going_back_is_refused_in_a_sentence(
    production: Stack, track_id: str, short_record: Path, next_version: str
) -> None:
    upgraded = Stack(
        PROD,
        {**production.environment, "DJ_VERSION": next_version},
        project=production.project,
        port_base=production.port_base,
    )
    upgraded.up()
    assert "_rehearsal.sql" in upgraded.logs("migrations")
    assert is_whole(upgraded, track_id, short_record)
    refused = production.try_compose("up", "-d", "--no-build", "--wait")
    assert refused.returncode != 0
    assert "start that one, or restore a backup" in production.logs("migrations")
    upgraded.up()
    assert is_whole(upgraded, track_id, short_record)
    upgraded.gateway.close()
