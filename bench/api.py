"""Reads, listings, search and playlists of the gateway at 10,000 tracks and 8 clients, beside a bare query.

    ./dj bench api [--tracks N] [--clients N] [--requests N]

Rows only, made of a seeded vocabulary; a second collection of the same size stands beside the one
that is asked, as it does in life. The baseline is FastAPI with one psycopg query of the same row.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import httpx
import psycopg

from bench._load import Timings, measure, save
from dj_contracts.keys import ALL_KEYS
from migrations.migrate import migrate
from standalone import postgres, processes, valkey
from standalone.ports import free_ports

_SYLLABLES = [
    "ka",
    "lo",
    "mi",
    "ta",
    "ren",
    "sol",
    "vi",
    "da",
    "bo",
    "ru",
    "ne",
    "sha",
    "tor",
    "el",
    "an",
    "fu",
    "ki",
    "pa",
    "gro",
    "lu",
    "zen",
    "mar",
    "to",
    "bi",
]
_LIMIT_MS = 100


def vocabulary(rng: random.Random, words: int = 6000) -> list[str]:
    return ["".join(rng.choices(_SYLLABLES, k=rng.randint(2, 4))) for _ in range(words)]


def fill(url: str, tracks: int, rng: random.Random) -> list[str]:
    """Two collections and a playlist of 200; returns titles of the first for the searches."""
    words = vocabulary(rng)
    titles: list[str] = []
    with psycopg.connect(url) as conn:
        conn.execute("insert into friends (username) values ('dj'), ('ana')")
        for username in ("dj", "ana"):
            columns = "username, track_id, title, artist, album, year, genres, bpm, key, star_rating"
            with conn.cursor().copy(f"copy tracks ({columns}) from stdin") as copy:
                for number in range(tracks):
                    title = " ".join(rng.choices(words, k=rng.randint(1, 4)))
                    titles += [title] if username == "dj" else []
                    copy.write_row((
                        username, f"t{number}", title, " ".join(rng.choices(words, k=2)),
                        " ".join(rng.choices(words, k=2)), rng.randint(1970, 2026),
                        [rng.choice(["House", "Techno", "Drum & Bass", "Disco"])],
                        round(rng.uniform(70, 180), 2), rng.choice(ALL_KEYS).name, rng.randint(0, 5),
                    ))  # fmt: skip
        conn.execute("insert into playlists (username, name) values ('dj', 'bench')")
        conn.execute(
            """
            insert into playlist_tracks (playlist_id, position, username, track_id)
            select (select id from playlists), n, 'dj', 't' || n from generate_series(1, 200) n
            """
        )
        conn.commit()
        conn.autocommit = True
        conn.execute("vacuum analyze")
    return titles


def typo(text: str, rng: random.Random) -> str:
    """One letter lost from the longest word, as a DJ in a hurry types."""
    word = max(text.split(), key=len)
    place = rng.randrange(1, len(word))
    return text.replace(word, word[:place] + word[place + 1 :], 1)


def questions(titles: list[str], count: int, rng: random.Random) -> dict[str, list[str]]:
    tracks = len(titles)

    def many(make: Callable[[], str]) -> list[str]:
        return [make() for _ in range(count)]

    return {
        "one track": many(lambda: f"/api/tracks/t{rng.randrange(tracks)}"),
        "listing, 50": many(lambda: f"/api/tracks?limit=50&sort={rng.choice(['added', 'title', 'bpm'])}"),
        "listing, filtered": many(
            lambda: f"/api/tracks?limit=50&sort=bpm&bpm_min={rng.randint(80, 140)}&key=8A&key=9A"
        ),
        "search": many(lambda: f"/api/tracks/search?q={quote(rng.choice(titles))}"),
        "search, typo": many(lambda: f"/api/tracks/search?q={quote(typo(rng.choice(titles), rng))}"),
        "search, typo, 2 filters": many(
            lambda: f"/api/tracks/search?q={quote(typo(rng.choice(titles), rng))}&bpm_min=90&rating_min=1"
        ),
        "playlist, 100": many(lambda: "/api/playlists/1/tracks"),
    }


def wait_for(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            httpx.get(url, timeout=2)
            return
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dj bench api")
    parser.add_argument("--tracks", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--requests", type=int, default=800, help="of each kind")
    options = parser.parse_args()
    rng = random.Random(7)
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        pg_port, valkey_port, gateway_port, bare_port = free_ports(4)

        def run(command: processes.Command, log: str) -> None:
            child = processes.spawn(command, home / log)
            stack.callback(processes.stop, child, command.stop_signal)

        postgres.prepare(home)
        run(postgres.server(home, pg_port), "postgres.log")
        while not postgres.answers(postgres.url(home, pg_port, "postgres")):
            time.sleep(0.05)
        postgres.ensure_database(home, pg_port)
        url = postgres.url(home, pg_port)
        migrate(url)
        titles = fill(url, options.tracks, rng)
        run(valkey.server(home, valkey_port), "valkey.log")
        env = {
            "DATABASE_URL": url,
            "REDIS_URL": valkey.url(home, valkey_port),
            "SERVICE_TOKEN": "a-token-for-the-benchmark",
            "AUDIO_DIR": str(home / "audio"),
        }
        for port, argv in (
            (gateway_port, ["-m", "gateway_api"]),
            (bare_port, [str(Path(__file__).parent / "_bare_row.py")]),
        ):
            command = processes.Command(
                (sys.executable, *argv), cwd=Path(__file__).parents[1], env={**env, "PORT": str(port)}
            )
            run(command, f"{port}.log")
        wait_for(f"http://127.0.0.1:{gateway_port}/health")
        wait_for(f"http://127.0.0.1:{bare_port}/row/t1")
        bare = [f"/row/t{rng.randrange(options.tracks)}" for _ in range(options.requests)]
        asyncio.run(report(options, gateway_port, bare_port, bare, questions(titles, options.requests, rng)))


async def report(
    options: argparse.Namespace,
    gateway_port: int,
    bare_port: int,
    bare: list[str],
    asked: dict[str, list[str]],
) -> None:
    print(f"{options.tracks} tracks in each of two collections, {options.clients} clients.")
    print(f"Milliseconds; a p95 under {_LIMIT_MS} is wanted.")
    print(f"{'':<26}{'median':>9}{'p95':>9}{'p99':>9}{'a second':>10}{'failed':>8}{'x bare':>8}")
    await measure(bare_port, bare[:100], options.clients)
    base = await measure(bare_port, bare, options.clients)
    rows = {"bare FastAPI + psycopg row": base}
    for name, paths in asked.items():
        await measure(gateway_port, paths[:50], options.clients)
        rows[name] = await measure(gateway_port, paths, options.clients)
    for name, timings in rows.items():
        print(_line(name, timings, base))
    save(
        "api",
        {
            "tracks": options.tracks,
            "clients": options.clients,
            "processors": os.cpu_count(),
            "milliseconds": {
                name: {
                    "median": t.median,
                    "p95": t.quantile(0.95),
                    "p99": t.quantile(0.99),
                    "failed": t.failed,
                }
                for name, t in rows.items()
            },
        },
    )


def _line(name: str, timings: Timings, base: Timings) -> str:
    return (
        f"{name:<26}{timings.median:>9.1f}{timings.quantile(0.95):>9.1f}{timings.quantile(0.99):>9.1f}"
        f"{timings.per_second:>10.0f}{timings.failed:>8}{timings.quantile(0.95) / base.quantile(0.95):>8.1f}"
    )


if __name__ == "__main__":
    main()
