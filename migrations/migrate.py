"""Applies the numbered SQL files, each in one transaction, each once, in order.

Safe to run at every start and from several processes at once: an advisory lock lets one work while
the others wait, and find nothing left to do. A file that was changed after it ran is refused, for
then the database and the files no longer tell the same story.
"""

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import psycopg

SQL_DIR = Path(__file__).parent / "sql"
_LOCK_ID = 0x646A706C  # "djpl"; any number that nothing else in the database locks
_LEDGER = """
create table if not exists schema_migrations (
    name text primary key,
    checksum text not null,
    applied_at timestamptz not null default now()
)
"""


class MigrationError(Exception):
    """The files and the database do not fit together; the message says which and what to do."""


@dataclass(frozen=True)
class Migration:
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def read_migrations(folder: Path = SQL_DIR) -> list[Migration]:
    found = [Migration(path.name, path.read_text()) for path in sorted(folder.glob("*.sql"))]
    for number, migration in enumerate(found, start=1):
        if not migration.name.startswith(f"{number:04d}_"):
            raise MigrationError(f"{migration.name} should be number {number:04d}: numbers have no gaps.")
    return found


def migrate(url: str, migrations: list[Migration] | None = None) -> list[str]:
    """Bring the database up to date; returns the names of the files applied now."""
    wanted = read_migrations() if migrations is None else migrations
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as conn:
        if conn.info.parameter_status("server_encoding") != "UTF8":
            raise MigrationError("The database is not in UTF-8. Create it anew with ENCODING 'UTF8'.")
        conn.execute("select pg_advisory_lock(%s)", [_LOCK_ID])
        # A table that is in use is not waited for without end: better a clear failure at start.
        conn.execute("set lock_timeout = '30s'")
        conn.execute(_LEDGER)
        applied: dict[str, str] = dict(conn.execute("select name, checksum from schema_migrations"))
        _check(applied, wanted)
        pending = [migration for migration in wanted if migration.name not in applied]
        for migration in pending:
            with conn.transaction():
                conn.execute(migration.sql.encode())
                conn.execute(
                    "insert into schema_migrations (name, checksum) values (%s, %s)",
                    [migration.name, migration.checksum],
                )
    return [migration.name for migration in pending]


def _check(applied: dict[str, str], wanted: list[Migration]) -> None:
    known = {migration.name: migration.checksum for migration in wanted}
    for name, checksum in sorted(applied.items()):
        if name not in known:
            raise MigrationError(
                f"The database has {name}, which this version does not know. "
                "It was used by a newer version: start that one, or restore a backup."
            )
        if known[name] != checksum:
            raise MigrationError(
                f"{name} was changed after it had been applied. Put the file back as it was "
                "and make the change in a new file."
            )


def main() -> int:
    url = os.environ.get("DATABASE_URL")
    if not url and (file := os.environ.get("DATABASE_URL_FILE")):
        url = Path(file).read_text().strip()
    if not url:
        print("DATABASE_URL is not set. See .env.example for what it means.", file=sys.stderr)
        return 2
    try:
        applied = migrate(url)
    except (MigrationError, psycopg.Error) as exc:
        print(f"migrations: {exc}", file=sys.stderr)
        return 1
    print(f"migrations: {', '.join(applied) if applied else 'up to date'}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
