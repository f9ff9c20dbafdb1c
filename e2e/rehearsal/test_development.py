"""docker-compose.dev.yml: a saved file is at work a moment later."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
import redis

from e2e.rehearsal.engine import BASE, DEV, PROD, SECRETS, Stack, running
from standalone.constellation import WORKSPACE
from standalone.testing import eventually

_MOUNTED = (
    "contracts",
    "servicekit",
    "migrations",
    "gateway-api",
    "essentia-api",
    "ga-service",
    "download-worker",
)
_NOT_OURS = shutil.ignore_patterns("__pycache__", "tests")


@pytest.mark.parametrize("files", [(BASE,), (DEV,), (BASE, "-f", DEV), (PROD,)], ids=str)
def test_compose_reads_every_file_without_a_word(files: tuple[str, ...]) -> None:
    first, *others = files
    done = Stack(first, SECRETS).try_compose(*others, "config", "--quiet")
    assert (done.returncode, done.stderr.decode()) == (0, "")


@pytest.fixture(scope="module")
def development(images: None, music: Path) -> Iterator[Stack]:
    """On a copy of the sources, which the containers' user may read and the test may change."""
    folder = music / "checkout"
    for name in _MOUNTED:
        shutil.copytree(
            WORKSPACE / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "tests")
        )
    for name in (BASE, DEV):
        shutil.copy(WORKSPACE / name, folder / name)
    with running(Stack(DEV, folder=folder)) as stack:
        stack.up()
        yield stack


def health(stack: Stack, offset: int) -> str:
    try:
        return httpx.get(f"http://127.0.0.1:{stack.port_base + offset}/health", trust_env=False).text
    except httpx.HTTPError:
        return ""


@pytest.mark.parametrize(
    ("file", "offset", "word"),
    [
        ("gateway-api/gateway_api/features/health/routes.py", 0, "gateway-api"),
        ("essentia-api/essentia_api/main.py", 1, "essentia-api"),
        ("ga-service/ga_service/main.py", 2, "ga-service"),
    ],
)
def test_a_changed_file_is_at_work_a_moment_later(
    development: Stack, file: str, offset: int, word: str
) -> None:
    assert "ok" in health(development, offset)
    path = development.folder / file
    text = path.read_text()
    changed = text.replace('"ok"', '"changed"')
    assert changed != text
    path.write_text(changed)
    assert eventually(lambda: '"changed"' in health(development, offset), seconds=30)
    assert word in health(development, offset)


def reloaded(stack: Stack, service: str) -> bool:
    return "reload: a source changed" in stack.logs(service) and stack.is_well(service)


def test_the_worker_starts_again_when_a_contract_changes(development: Stack) -> None:
    (development.folder / "contracts" / "dj_contracts" / "new.py").write_text('"""New."""\n')
    assert eventually(lambda: reloaded(development, "download-worker"), seconds=60)
    assert eventually(lambda: reloaded(development, "bridge"), seconds=60)


def test_the_stores_can_be_reached_from_this_machine(development: Stack) -> None:
    password = development.secret("gateway-api", "/secrets/db/postgres-password")
    with psycopg.connect(f"postgresql://dj:{password}@127.0.0.1:{development.port_base + 3}/dj") as conn:
        assert conn.execute("select count(*) from schema_migrations").fetchone() != (0,)
    password = development.secret("redis", "/secrets/app/redis-password")
    with redis.Redis(port=development.port_base + 4, password=password) as client:
        assert client.ping()


def test_debug_lines_are_written_for_people(development: Stack) -> None:
    said = development.logs("gateway-api")
    assert "Application startup complete" in said
    assert '{"event"' not in said
