"""The embedded servers: kept data, private secrets, nothing orphaned."""

import signal
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from standalone import postgres, processes, valkey
from standalone.ports import free_ports
from standalone.testing import eventually


def test_a_cloned_database_has_the_tables_and_the_extensions(database_url: str) -> None:
    with psycopg.connect(database_url) as conn:
        names = {name for (name,) in conn.execute("select extname from pg_extension")}
        tracks = conn.execute("select count(*) from tracks").fetchone()
    assert {"vector", "pg_trgm", "unaccent"} <= names
    assert tracks == (0,)


def test_pgvector_computes_over_long_vectors_on_this_machine(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as conn:
        conn.execute("create extension vector")
        # Short vectors take another path through the machine code, and would not find an illegal one.
        query = (
            "select v <=> v from (select array_agg(random())::vector(256) v from generate_series(1, 256)) t"
        )
        row = conn.execute(query).fetchone()
    assert row is not None
    assert row[0] == pytest.approx(0, abs=1e-6)


def test_valkey_is_empty_for_each_test(redis_url: str) -> None:
    client = redis.Redis.from_url(redis_url)
    assert client.dbsize() == 0
    client.set("left", "behind")
    client.close()


def test_valkey_was_flushed_after_the_test_before(redis_url: str) -> None:
    client = redis.Redis.from_url(redis_url)
    assert client.dbsize() == 0
    client.close()


def test_postgres_works_and_keeps_its_data_in_a_private_folder_with_spaces(tmp_path: Path) -> None:
    home = tmp_path / "a folder with spaces" / "and ünïcode"
    home.mkdir(parents=True)
    home.parent.chmod(0o700)
    port = free_ports(1)[0]
    postgres.prepare(home, sync=False)
    command = postgres.server(home, port)
    for expected in (0, 1):
        child = processes.spawn(command, home / "log")
        try:
            postgres.wait_until_ready(postgres.url(home, port, "postgres"), child)
            with psycopg.connect(postgres.url(home, port, "postgres"), autocommit=True) as conn:
                conn.execute("create table if not exists kept (n int)")
                assert conn.execute("select count(*) from kept").fetchone() == (expected,)
                conn.execute("insert into kept values (1)")
        finally:
            processes.stop(child, signal.SIGKILL if expected == 0 else command.stop_signal)
    assert stat.S_IMODE((home / "postgres-password").stat().st_mode) == 0o600


def test_passwords_are_not_among_the_arguments(tmp_path: Path) -> None:
    commands = [valkey.server(tmp_path, 1), postgres.server(tmp_path, 2)]
    valkey.url(tmp_path, 1)
    postgres.url(tmp_path, 2)
    told = [(tmp_path / name).read_text().strip() for name in ("valkey-password", "postgres-password")]
    assert not [word for command in commands for word in command.argv for one in told if one in word]
    assert stat.S_IMODE((tmp_path / "valkey.conf").stat().st_mode) == 0o600


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a parent's death is told on Linux only")
def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    parent = (
        "import sys, time; from pathlib import Path; from standalone.processes import Command, spawn;"
        "child = spawn(Command(('sleep', '600'), cwd=Path('/')), Path(sys.argv[1]));"
        "print(child.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        # Killed earlier, the parent would be gone before the child has asked to be told.
        assert eventually(lambda: psutil.Process(pid).name() == "sleep")
        process.kill()
    assert eventually(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie")
