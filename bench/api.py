"""Reads, listings and search of the gateway at 8 clients, beside a bare query; import and reindex.

    ./dj bench api [--tracks N] [--clients N] [--requests N] [--data DIR] [--only TEXT]

Rows only, made of a seeded vocabulary; a second collection of the same size stands beside the one
that is asked, as it does in life. The baseline is FastAPI with one psycopg query of the same row. After
that both collections are built into the search index of a stand-in for Meilisearch, so its figure is of
our side: reading, forming and sending, not of the engine's indexing.
"""

import argparse
import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import httpx
import psycopg

from bench._constellation import ROOT, parts, peak_memory_mb, processors
from bench._load import Timings, measure, save, wait_for
from dj_contracts.keys import ALL_KEYS
from gateway_api.db import make_pool, transaction
from gateway_api.features.scan.store import NewFile, save_files
from gateway_api.features.scan.tags import FileTags
from standalone.ports import free_ports

# fmt: off
_SYLLABLES = [
    "ka", "lo", "mi", "ta", "ren", "sol", "vi", "da", "bo", "ru", "ne", "sha", "tor", "el", "an", "fu", "ki",
    "pa", "gro", "lu", "zen", "mar", "to", "bi",
]
# fmt: on
# The p95 that is wanted, in milliseconds.
_WANTED = {
    "one track": 10,
    "listing, 50": 20,
    "listing, filtered": 20,
    "search": 80,
    "search, typo": 80,
    "search, typo, 2 filters": 80,
    "search, one letter": 80,
}
_STAND_IN = ROOT / "gateway-api" / "tests" / "stand_in" / "meilisearch.py"
_MEILI_KEY = "the-key-of-the-benchmark"


def vocabulary(rng: random.Random, words: int = 6000) -> list[str]:
    return ["".join(rng.choices(_SYLLABLES, k=rng.randint(2, 4))) for _ in range(words)]


def fill(url: str, tracks: int, rng: random.Random) -> tuple[list[str], bool]:
    """Two collections and a playlist of 200, unless they are there from another run; the titles of the
    first for the searches, and whether they are new."""
    words = vocabulary(rng)
    titles: list[str] = []
    with psycopg.connect(url) as conn:
        # What a run leaves behind: the rows of its import, and the index that it built.
        conn.execute(
            "delete from tracks where track_id like 'file-%'; truncate search_indexes, search_outbox"
        )
        kept = conn.execute("select title from tracks where username = 'dj' order by track_id").fetchall()
        if kept:
            if len(kept) != tracks:
                raise SystemExit(f"The folder of --data has {len(kept)} tracks: ask for so many.")
            conn.commit()
            return [str(row[0]) for row in kept], False
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
    return titles, True


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
        "search, 5 filters": many(
            lambda: (
                f"/api/search?q={quote('bpm:' + str(rng.randint(80, 160)) + '~ key:8A~ rating:2+')}"
                "&genre=house&year_min=1990&limit=20"
            )
        ),
        "search, one letter": many(lambda: f"/api/search?q={rng.choice('klmtrsvdb')}"),
        "search, facets": many(
            lambda: f"/api/search?q={quote(rng.choice(titles).split()[0])}&facet=genre&facet=key"
        ),
        "playlist, 100": many(lambda: "/api/playlists/1/tracks"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dj bench api")
    parser.add_argument("--tracks", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--requests", type=int, default=800, help="of each kind")
    parser.add_argument("--only", default="", help="only those kinds that hold this text")
    parser.add_argument("--data", type=Path, help="a folder that keeps the collections for the next run")
    options = parser.parse_args()
    rng = random.Random(7)
    # Texts are not embedded meanwhile, which is a collection's first quarter of an hour and no more.
    with parts(options.data, RATE_LIMIT_PER_SECOND="0", EMBEDDINGS="off") as made:
        started = time.perf_counter()
        titles, is_new = fill(made.database_url, options.tracks, rng)
        copied = (time.perf_counter() - started) * 50_000 / options.tracks
        bare_port, meili_port, indexed_port = free_ports(3)
        gateway = made.start("gateway")
        made.add("bare", str(ROOT / "bench" / "_bare_row.py"), PORT=str(bare_port))
        made.start("bare")
        wait_for(f"{made.gateway_url}/health")
        wait_for(f"http://127.0.0.1:{bare_port}/row/t1")
        bare = [f"/row/t{rng.randrange(options.tracks)}" for _ in range(options.requests)]
        asked = questions(titles, options.requests, rng)
        asked = {name: paths for name, paths in asked.items() if options.only in name}
        rows = asyncio.run(ask_all(options, int(made.gateway_url.rpartition(":")[2]), bare_port, bare, asked))
        figures = {"gateway at its most, MB (250)": peak_memory_mb(gateway)}
        if is_new:
            figures["import of 100,000 rows by COPY, s (60)"] = copied
        if not options.only:
            made.stop("gateway")
            made.add("meilisearch", str(_STAND_IN), str(meili_port), _MEILI_KEY)
            made.start("meilisearch")
            indexed = {"MEILI_URL": f"http://127.0.0.1:{meili_port}", "MEILI_KEY": _MEILI_KEY}
            made.add("indexed", "-m", "gateway_api", PORT=str(indexed_port), **indexed)
            started = time.perf_counter()
            indexing = made.start("indexed")
            wait_until_built(f"http://127.0.0.1:{indexed_port}")
            figures[f"full reindex of {2 * options.tracks} tracks, s (300)"] = time.perf_counter() - started
            figures["gateway that reindexed at its most, MB (250)"] = peak_memory_mb(indexing)
            made.stop("indexed")
            imported = asyncio.run(import_files(made.database_url, options.tracks))
            figures["import of 100,000 rows as a scan writes them, s (60)"] = imported
        report(options, rows, figures)


def wait_until_built(gateway: str) -> None:
    wait_for(f"{gateway}/health")
    deadline = time.monotonic() + 900
    while not httpx.get(f"{gateway}/api/search/index", timeout=30).json()["built_at"]:
        if time.monotonic() > deadline:
            raise TimeoutError("The index is not built.")
        time.sleep(0.2)


async def import_files(url: str, tracks: int) -> float:
    """Seconds for 100,000 files in the batches in which a scan commits them, tags read already."""
    pool = make_pool(url, 2)
    await pool.open()
    tags = FileTags("Imported tune", "Somebody", "Somewhere", 1999, ["House"], 124.0, "A minor", 300.0)
    started = time.perf_counter()
    for first in range(0, tracks, 100):
        files = [
            NewFile(f"file-{number}", f"/music/{number}.mp3", 5_000_000, number, tags)
            for number in range(first, first + 100)
        ]
        async with transaction(pool) as conn:
            await save_files(conn, "ana", files)
    took = time.perf_counter() - started
    await pool.close()
    return took * 100_000 / tracks


async def ask_all(
    options: argparse.Namespace,
    gateway_port: int,
    bare_port: int,
    bare: list[str],
    asked: dict[str, list[str]],
) -> dict[str, Timings]:
    await measure(bare_port, bare[:100], options.clients)
    rows = {"bare FastAPI + psycopg row": await measure(bare_port, bare, options.clients)}
    for name, paths in asked.items():
        await measure(gateway_port, paths[:50], options.clients)
        rows[name] = await measure(gateway_port, paths, options.clients)
    return rows


def report(options: argparse.Namespace, rows: dict[str, Timings], figures: dict[str, float]) -> None:
    base = next(iter(rows.values()))
    print(f"{options.tracks} tracks in each of two collections, {options.clients} clients; milliseconds.")
    print(f"{'':<26}{'median':>9}{'p95':>9}{'wanted':>8}{'p99':>9}{'a second':>10}{'failed':>8}{'x bare':>8}")
    for name, timings in rows.items():
        print(_line(name, timings, base))
    for name, figure in figures.items():
        print(f"{name:<60}{figure:>9.1f}")
    milliseconds = {
        name: {"median": t.median, "p95": t.quantile(0.95), "p99": t.quantile(0.99), "failed": t.failed}
        for name, t in rows.items()
    }
    shape = {"tracks": options.tracks, "clients": options.clients, "processors": processors()}
    save("api", shape | {"milliseconds": milliseconds, "figures": figures})


def _line(name: str, timings: Timings, base: Timings) -> str:
    return (
        f"{name:<26}{timings.median:>9.1f}{timings.quantile(0.95):>9.1f}{_WANTED.get(name, ''):>8}"
        f"{timings.quantile(0.99):>9.1f}{timings.per_second:>10.0f}{timings.failed:>8}"
        f"{timings.quantile(0.95) / base.quantile(0.95):>8.1f}"
    )


if __name__ == "__main__":
    main()
