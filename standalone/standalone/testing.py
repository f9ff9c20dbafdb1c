"""A pytest plugin: the real PostgreSQL and Valkey for every member's tests.

One server of each for the whole run, started when the first test asks. A test gets a database of its
own, cloned from a migrated template, which takes tens of milliseconds.
"""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis
from psycopg import sql

from standalone import postgres, processes, valkey
from standalone.ports import free_ports

_TEMPLATE = "dj_template"


def eventually(condition: Callable[[], object], *, seconds: float = 15) -> bool:
    """Whether the condition comes true in time. Asked often, so a test waits no longer than it must."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """A running PostgreSQL without any database of ours: its home and its port."""
    home = tmp_path_factory.mktemp("postgres")
    port = free_ports(1)[0]
    postgres.prepare(home, sync=False)
    command = postgres.server(home, port, unsafe_but_fast=True)
    child = processes.spawn(command, home / "postgres.log")
    try:
        postgres.wait_until_ready(postgres.url(home, port, "postgres"), child)
        yield home, port
    finally:
        processes.stop(child, command.stop_signal)


@pytest.fixture(scope="session")
def postgres_url(postgres_server: tuple[Path, int]) -> str:
    """The template database, with every migration applied. Clone it; do not write to it."""
    from migrations.migrate import migrate

    home, port = postgres_server
    postgres.ensure_database(home, port, _TEMPLATE)
    url = postgres.url(home, port, _TEMPLATE)
    migrate(url)
    return url


@pytest.fixture
def database_url(
    postgres_server: tuple[Path, int],
    postgres_url: str,  # noqa: ARG001 - asked for so that the template exists
) -> Iterator[str]:
    """A fresh database with every migration applied."""
    with _new_database(postgres_server, template=_TEMPLATE) as url:
        yield url


@pytest.fixture
def empty_database_url(postgres_server: tuple[Path, int]) -> Iterator[str]:
    """A fresh database with nothing in it."""
    with _new_database(postgres_server, template="template0") as url:
        yield url


@contextmanager
def _new_database(postgres_server: tuple[Path, int], *, template: str) -> Iterator[str]:
    home, port = postgres_server
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres.url(home, port, "postgres"), autocommit=True) as conn:
        create = sql.SQL("create database {} template {}")
        conn.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
        try:
            yield postgres.url(home, port, name)
        finally:
            conn.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("valkey")
    port = free_ports(1)[0]
    command = valkey.server(home, port, durable=False)
    child = processes.spawn(command, home / "valkey.log")
    try:
        url = valkey.url(home, port)
        valkey.wait_until_ready(url, child)
        yield url
    finally:
        processes.stop(child, command.stop_signal)


@pytest.fixture
def redis_url(valkey_url: str) -> str:
    """A Valkey with nothing in it."""
    client = redis.Redis.from_url(valkey_url)
    client.flushall()
    client.close()
    return valkey_url
