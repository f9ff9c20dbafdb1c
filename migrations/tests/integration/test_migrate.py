"""The runner against a real server: once, in order, refusing what does not fit."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from migrations.dump import SCHEMA, dump_schema
from migrations.migrate import Migration, MigrationError, migrate, read_migrations
from standalone import postgres
from standalone.postgres import bin_dir

ONE = Migration("0001_one.sql", "create table one (id int);")
TWO = Migration("0002_two.sql", "create table two (id int); insert into one values (1);")


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as conn:
        rows = conn.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
    return {row[0] for row in rows}


def test_files_are_applied_once_and_in_order(empty_database_url: str) -> None:
    assert migrate(empty_database_url, [ONE]) == ["0001_one.sql"]
    assert migrate(empty_database_url, [ONE, TWO]) == ["0002_two.sql"]
    assert migrate(empty_database_url, [ONE, TWO]) == []
    assert {"one", "two"} <= tables(empty_database_url)


def test_a_changed_file_is_refused(empty_database_url: str) -> None:
    migrate(empty_database_url, [ONE])
    with pytest.raises(MigrationError, match="0001_one.sql was changed after it had been applied"):
        migrate(empty_database_url, [Migration(ONE.name, ONE.sql + "-- edited")])


def test_a_database_of_a_newer_version_is_refused(empty_database_url: str) -> None:
    migrate(empty_database_url, [ONE, TWO])
    with pytest.raises(MigrationError, match="newer version"):
        migrate(empty_database_url, [ONE])


def test_a_failing_file_leaves_nothing_of_itself(empty_database_url: str) -> None:
    broken = Migration("0002_two.sql", "create table two (id int); select no_such_function();")
    with pytest.raises(psycopg.errors.UndefinedFunction):
        migrate(empty_database_url, [ONE, broken])
    assert "two" not in tables(empty_database_url)
    assert migrate(empty_database_url, [ONE, TWO]) == ["0002_two.sql"]


def test_two_runners_at_once_do_no_harm(empty_database_url: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        results = [pool.submit(migrate, empty_database_url) for _ in range(2)]
        applied = [name for result in results for name in result.result()]
    assert applied == [migration.name for migration in read_migrations()]


def test_schema_sql_is_what_the_files_make(database_url: str) -> None:
    assert dump_schema(database_url, str(bin_dir() / "pg_dump")) == SCHEMA.read_text(), (
        "schema.sql is out of date: run python -m migrations.dump"
    )


def test_a_gap_in_the_numbers_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0001_one.sql").write_text(ONE.sql)
    (tmp_path / "0003_two.sql").write_text(TWO.sql)
    with pytest.raises(MigrationError, match="should be number 0002"):
        read_migrations(tmp_path)


def test_a_database_that_is_not_in_utf8_is_refused(postgres_server: tuple[Path, int]) -> None:
    home, port = postgres_server
    with psycopg.connect(postgres.url(home, port, "postgres"), autocommit=True) as conn:
        conn.execute("create database ascii_only encoding 'SQL_ASCII' locale 'C' template template0")
        try:
            with pytest.raises(MigrationError, match="not in UTF-8"):
                migrate(postgres.url(home, port, "ascii_only"))
        finally:
            conn.execute("drop database ascii_only with (force)")
