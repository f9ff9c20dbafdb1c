"""A gateway killed in the middle of a restore leaves the old data whole, and the next one restores."""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import psycopg
import pytest

TRACKS = 20_000


def fill(conn: Any, title: str) -> None:
    with conn.transaction():
        conn.execute("delete from tracks")
        conn.execute(
            """
            insert into tracks (username, track_id, title, artist)
            select 'dj', 't' || n, %s || ' ' || n, 'Artist ' || mod(n, 100) from generate_series(1, %s) n
            """,
            [title, TRACKS],
        )


def titles(conn: Any) -> tuple[int, list[str]]:
    query = "select count(*), array_agg(distinct split_part(title, ' ', 1)) from tracks"
    count, found = conn.execute(query).fetchone()
    return count, found


def wait_for_copy(conn: Any) -> None:
    """Until the restore is pouring tracks in."""
    deadline = time.monotonic() + 60
    query = """
        select 1 from pg_stat_progress_copy p join pg_stat_activity a using (pid)
        where a.datname = current_database() and p.command = 'COPY FROM'
          and a.query like '%"public"."tracks"%'
          and p.tuples_processed > 1000
    """
    while not conn.execute(query).fetchone():
        assert time.monotonic() < deadline, "The restore never came to the tracks."


@pytest.mark.timeout(180)
def test_killed_in_the_middle_the_old_data_stands_and_the_next_restore_works(
    database_url: str, gateway_process: Callable[..., Any]
) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        with gateway_process() as (process, http):
            fill(conn, "Old")
            made = http.post("/api/backup", params={"wait": True}).json()["name"]
            fill(conn, "New")
            body = {"name": made, "dry_run": False}

            def ask() -> None:
                with suppress(httpx.TransportError):
                    http.post("/api/restore", json=body)

            asking = threading.Thread(target=ask)
            asking.start()
            wait_for_copy(conn)
            os.kill(process.pid, signal.SIGKILL)
            asking.join()
        assert titles(conn) == (TRACKS, ["New"])
        with gateway_process() as (_, http):
            answer = http.post("/api/restore", json=body)
            assert answer.status_code == 200, answer.text
        assert titles(conn) == (TRACKS, ["Old"])
