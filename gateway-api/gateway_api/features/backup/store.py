"""The statements that read a whole database in one snapshot, and build it anew in one transaction.

Tables, columns and functions are found in the catalogue, so a table of a later migration is in the
backup without anybody thinking of it. What an extension brought is left alone.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from graphlib import TopologicalSorter
from typing import Any

import psycopg
from psycopg import sql

from gateway_api.db import Connection
from gateway_api.features.backup.models import MigrationInBackup, SequenceInBackup, TableChange
from migrations.migrate import Migration

# Rebuilt from the rest by themselves, or true of one installation only.
_NOT_KEPT = ["schema_migrations", "idempotency_keys", "audio_checksums", "search_outbox", "search_indexes"]
_WITHOUT_EQUALITY = {"json", "xml"}
_IS_OURS = "not exists (select from pg_depend d where d.objid = {oid} and d.deptype = 'e')"
_TABLES = f"""
    select c.oid, c.relname from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
      and {_IS_OURS.format(oid="c.oid")}
"""


async def hold_snapshot(conn: Connection) -> None:
    """Everything that this transaction reads from here on is of one moment."""
    await conn.execute("set transaction isolation level repeatable read, read only")
    await conn.execute("set local statement_timeout = 0")


async def list_tables(conn: Connection) -> dict[str, list[str]]:
    """Table -> columns that hold data, in an order in which foreign keys find what they point to."""
    cursor = await conn.execute(
        f"""
        with t as ({_TABLES})
        select t.relname::text, array(
            select a.attname::text from pg_attribute a
            where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
            order by a.attnum
        ) from t where not t.relname = any(%s)
        """,
        [_NOT_KEPT],
    )
    columns: dict[str, list[str]] = {str(name): found for name, found in await cursor.fetchall()}  # type: ignore[misc]
    cursor = await conn.execute(
        f"""
        with t as ({_TABLES})
        select f.relname::text, t.relname::text from pg_constraint k
        join t f on f.oid = k.conrelid join t on t.oid = k.confrelid
        where k.contype = 'f' and k.conrelid <> k.confrelid
        """
    )
    order: TopologicalSorter[str] = TopologicalSorter({name: set() for name in sorted(columns)})
    for source, target in await cursor.fetchall():
        if source in columns and target in columns:
            order.add(str(source), str(target))
    return {name: columns[name] for name in order.static_order()}


async def list_sequences(conn: Connection, tables: Iterable[str]) -> list[SequenceInBackup]:
    cursor = await conn.execute(
        """
        select t.relname::text, a.attname::text, s.relname::text
        from pg_depend d
        join pg_class s on s.oid = d.objid and s.relkind = 'S'
        join pg_class t on t.oid = d.refobjid and t.relnamespace = 'public'::regnamespace
        join pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
        where d.deptype in ('a', 'i') and t.relname = any(%s) order by 1, 2
        """,
        [list(tables)],
    )
    found = []
    for table, column, sequence in await cursor.fetchall():
        statement = sql.SQL("select last_value, is_called from {}").format(_public(str(sequence)))
        row: Any = await (await conn.execute(statement)).fetchone()
        found.append(
            SequenceInBackup(table=str(table), column=str(column), last_value=row[0], is_called=row[1])
        )
    return found


async def list_migrations(conn: Connection) -> list[MigrationInBackup]:
    cursor = await conn.execute("select name, checksum from schema_migrations order by name")
    return [
        MigrationInBackup(name=str(name), checksum=str(checksum))
        for name, checksum in await cursor.fetchall()
    ]


async def list_audio_paths(conn: Connection) -> list[str]:
    """Every file that a track has, those in the trash too."""
    cursor = await conn.execute(
        "select distinct audio_path from tracks where audio_path is not null order by 1"
    )
    return [str(path) for (path,) in await cursor.fetchall()]


async def copy_out(conn: Connection, table: str, columns: Sequence[str]) -> AsyncGenerator[bytes, None]:
    statement = sql.SQL("copy {} ({}) to stdout").format(_public(table), _names(columns))
    async with conn.cursor().copy(statement) as copy:
        async for row in copy:
            yield bytes(row)


async def copy_in(conn: Connection, table: str, columns: Sequence[str], data: AsyncIterator[bytes]) -> None:
    await _copy_in(conn, _public(table), columns, data)


async def begin_rebuild(conn: Connection) -> None:
    """Wait until nobody uses the tables, and keep everybody out until the end."""
    await conn.execute("set local statement_timeout = 0")
    await conn.execute("set local lock_timeout = '30s'")
    cursor = await conn.execute(_TABLES)
    tables = sql.SQL(", ").join(_public(str(name)) for _, name in await cursor.fetchall())
    await conn.execute(sql.SQL("lock table {} in access exclusive mode").format(tables))


async def drop_everything(conn: Connection) -> None:
    """Tables, views, functions and types of ours; the ledger and what extensions brought stay."""
    cursor = await conn.execute(
        f"""
        select 'drop table if exists ' || t.oid::regclass || ' cascade'
        from ({_TABLES}) t where t.relname <> 'schema_migrations'
        union all
        select 'drop routine if exists ' || p.oid::regprocedure || ' cascade'
        from pg_proc p
        where p.pronamespace = 'public'::regnamespace and {_IS_OURS.format(oid="p.oid")}
        union all
        select 'drop type if exists ' || t.oid::regtype || ' cascade'
        from pg_type t
        where t.typnamespace = 'public'::regnamespace and t.typtype in ('e', 'd')
          and {_IS_OURS.format(oid="t.oid")}
        """
    )
    for (statement,) in await cursor.fetchall():
        await conn.execute(str(statement).encode())


async def apply_migration(conn: Connection, migration: Migration) -> None:
    await conn.execute(migration.sql.encode())


async def set_triggers(conn: Connection, tables: Iterable[str], *, enabled: bool) -> None:
    """Ours, which derive rows that are in the backup themselves; those of foreign keys are never off."""
    word = sql.SQL("enable" if enabled else "disable")
    for table in tables:
        await conn.execute(sql.SQL("alter table {} {} trigger user").format(_public(table), word))


async def set_sequence(conn: Connection, sequence: SequenceInBackup) -> None:
    await conn.execute(
        "select setval(pg_get_serial_sequence(format('public.%%I', %s::text), %s), %s, %s)",
        [sequence.table, sequence.column, sequence.last_value, sequence.is_called],
    )


async def write_ledger(conn: Connection, migrations: Iterable[Migration]) -> None:
    await conn.execute("delete from schema_migrations")
    for migration in migrations:
        await conn.execute(
            "insert into schema_migrations (name, checksum) values (%s, %s)",
            [migration.name, migration.checksum],
        )


async def compare_table(
    conn: Connection, table: str, columns: Sequence[str], data: AsyncIterator[bytes]
) -> TableChange:
    """What would become of the rows of a table, found without touching it."""
    types = await _column_types(conn, table)
    await conn.execute("set local statement_timeout = 0")
    definitions = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(types.get(column, "text")))
        for column in columns
    )
    await conn.execute("drop table if exists pg_temp.restored")
    await conn.execute(sql.SQL("create temp table restored ({}) on commit drop").format(definitions))
    for column in (name for name in columns if types.get(name) == "jsonb"):
        # Packing whole analyses for a table that lives for seconds took most of the time.
        await conn.execute(
            sql.SQL("alter table pg_temp.restored alter {} set storage external").format(
                sql.Identifier(column)
            )
        )
    await _copy_in(conn, sql.Identifier("pg_temp", "restored"), columns, data)
    after = await _count(conn, sql.Identifier("pg_temp", "restored"))
    if not types:
        return TableChange(table=table, rows_now=0, rows_after=after)
    now = await _count(conn, _public(table))
    shared = [column for column in columns if column in types]
    key = await _primary_key(conn, table)
    if not key or not set(key) <= set(shared):
        return TableChange(table=table, rows_now=now, rows_after=after)
    # Types that cannot be compared are compared as text.
    here, there = (
        [
            sql.SQL("{}::text" if types[column] in _WITHOUT_EQUALITY else "{}").format(
                sql.Identifier(alias, column)
            )
            for column in shared
        ]
        for alias in ("h", "r")
    )
    await conn.execute("analyze pg_temp.restored")
    statement = sql.SQL(
        """
        select count(*) filter (where h.{key} is null), count(*) filter (where r.{key} is null),
               count(*) filter (where h.{key} is not null and r.{key} is not null
                                and {here} is distinct from {there})
        from {table} h full join pg_temp.restored r using ({keys})
        """
    ).format(
        key=sql.Identifier(key[0]),
        here=_row(here),
        there=_row(there),
        table=_public(table),
        keys=_names(key),
    )
    row: Any = await (await conn.execute(statement)).fetchone()
    return TableChange(
        table=table, rows_now=now, rows_after=after, added=row[0], removed=row[1], changed=row[2]
    )


async def count_rows(conn: Connection, table: str) -> int:
    """0 for a table that is not there."""
    row: Any = await (
        await conn.execute("select to_regclass(format('public.%%I', %s::text))", [table])
    ).fetchone()
    return await _count(conn, _public(table)) if row[0] else 0


async def _copy_in(
    conn: Connection, target: sql.Identifier, columns: Sequence[str], data: AsyncIterator[bytes]
) -> None:
    statement = sql.SQL("copy {} ({}) from stdin").format(target, _names(columns))
    async with conn.cursor().copy(statement) as copy:
        async for chunk in data:
            await copy.write(chunk)


async def _column_types(conn: Connection, table: str) -> dict[str, str]:
    cursor = await conn.execute(
        """
        select a.attname::text, format_type(a.atttypid, a.atttypmod) from pg_attribute a
        where a.attrelid = to_regclass(format('public.%%I', %s::text)) and a.attnum > 0
          and not a.attisdropped and a.attgenerated = ''
        """,
        [table],
    )
    return {str(name): str(kind) for name, kind in await cursor.fetchall()}


async def _primary_key(conn: Connection, table: str) -> list[str]:
    cursor = await conn.execute(
        """
        select a.attname::text from pg_index i
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
        where i.indrelid = to_regclass(format('public.%%I', %s::text)) and i.indisprimary
        """,
        [table],
    )
    return [str(name) for (name,) in await cursor.fetchall()]


async def _count(conn: Connection, table: sql.Identifier) -> int:
    row = await (await conn.execute(sql.SQL("select count(*) from {}").format(table))).fetchone()
    return int(str(row[0])) if row else 0


def _public(table: str) -> sql.Identifier:
    return sql.Identifier("public", table)


def _names(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _row(columns: Sequence[sql.Composable]) -> sql.Composed:
    return sql.SQL("row({})").format(sql.SQL(", ").join(columns))


REFUSED_BY_POSTGRES = (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError)
