"""Filtered search by sound and by meaning at 100,000 tracks: recall at ten against an exact scan, and time.

    ./dj bench recall [--tracks N] [--clients N] [--questions N] [--data DIR]

Synthetic: sounds are points around 400 centres, as records of a style lie together, and texts are made of
a seeded vocabulary and embedded by the local model. A second collection of a fifth of the size shares
the index. The filters keep 50 %, 10 % and 1 % of the tracks; one of them, a style, goes with how the tracks
sound, which is the hard case: what passes it lies far from the track that is asked about. The baseline of
recall is an exact scan of what passes; that of time is FastAPI with one psycopg query.
"""

import argparse
import asyncio
import logging
import random
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import httpx
import numpy as np
import psycopg

from bench._constellation import ROOT, parts, peak_memory_mb, processors
from bench._load import Timings, measure, save, wait_for
from bench.api import vocabulary
from dj_contracts.keys import ALL_KEYS
from gateway_api.adapters.embeddings.local import LocalEmbedder
from gateway_api.db import make_pool
from gateway_api.features.embeddings.models import DueText
from gateway_api.features.embeddings.texts import describe, fingerprint
from gateway_api.features.embeddings.usecases import ensure_indexes
from standalone.ports import free_ports

_DIMS = 128
_MODEL = "bench/1"
_CENTRES = 400
_WANTED_RECALL = 0.95
_STYLES = ["deep house", "techno", "disco", "jungle", "ambient", "trance", "dub", "electro", "funk", "jazz"]
_MOODS = ["warm", "dark", "sunny", "angry", "calm", "driving", "dreamy", "raw", "happy", "melancholic"]
# Energy goes evenly from 1 to 10, so these keep their share; style 0 is a tenth of the centres.
_FILTERS = {
    "no filter": ("", "true"),
    "keeps 50 %": ("&energy_min=5.5", "t.energy >= 5.5"),
    "keeps 10 %": ("&energy_min=9.1", "t.energy >= 9.1"),
    "keeps 1 %": ("&energy_min=9.91", "t.energy >= 9.91"),
    "a style, 10 %": ("&style=deep%20house", "t.styles @> '{deep house}'"),
}


def fill(url: str, tracks: int, rng: random.Random) -> None:
    """Two collections with sounds and texts, unless they are there from another run; ``dj`` has
    ``tracks``, ``ana`` a fifth of that."""
    generator = np.random.default_rng(7)
    centres = generator.normal(size=(_CENTRES, _DIMS))
    words = vocabulary(rng)
    columns = "username, track_id, title, artist, styles, bpm, key, energy"
    embedded = "username, track_id, kind, model, dims, made_from, embedding"
    local = LocalEmbedder()
    with psycopg.connect(url) as conn:
        kept = conn.execute("select count(*) from tracks where username = 'dj'").fetchone()
        if kept and kept[0]:
            if kept[0] != tracks:
                raise SystemExit(f"The folder of --data has {kept[0]} tracks: ask for so many.")
            return
        conn.execute("insert into friends (username) values ('dj'), ('ana')")
        for username, count in (("dj", tracks), ("ana", tracks // 5)):
            which = generator.integers(_CENTRES, size=count)
            titles = [" ".join(rng.choices(words, k=2) + rng.choices(_MOODS, k=1)) for _ in range(count)]
            with conn.cursor().copy(f"copy tracks ({columns}) from stdin") as copy:
                for n in range(count):
                    copy.write_row((
                        username, f"t{n}", titles[n], rng.choice(words), [_STYLES[which[n] % len(_STYLES)]],
                        round(rng.uniform(70, 180), 2), rng.choice(ALL_KEYS).name, rng.uniform(1, 10),
                    ))  # fmt: skip
            for start in range(0, count, 10_000):
                part = range(start, min(count, start + 10_000))
                sounds = centres[which[part]] + 0.8 * generator.normal(size=(len(part), _DIMS))
                sounds /= np.linalg.norm(sounds, axis=1, keepdims=True)
                texts = [describe(_due(titles[n], _STYLES[which[n] % len(_STYLES)])) for n in part]
                vectors = asyncio.run(local.embed(texts))
                with conn.cursor().copy(f"copy track_embeddings ({embedded}) from stdin") as copy:
                    for n, sound, text, vector in zip(part, sounds.tolist(), texts, vectors, strict=True):
                        copy.write_row((username, f"t{n}", "audio", _MODEL, _DIMS, None, _written(sound)))
                        if vector is not None:
                            made_from = fingerprint(text)
                            copy.write_row((
                                username, f"t{n}", "text", local.model, len(vector), made_from,
                                _written(vector),
                            ))  # fmt: skip
        conn.execute("delete from text_embeddings_due")
        conn.commit()
        conn.autocommit = True
        conn.execute("vacuum analyze")


def _due(title: str, style: str) -> DueText:
    nothing = (None,) * 6
    return DueText("", "", 0, title, "", "", None, [], [style], [], None, *nothing, None, None)


def _written(vector: Sequence[float]) -> str:
    return "[" + ",".join(f"{x:.5f}" for x in vector) + "]"


def ask(port: int, path: str) -> list[str]:
    answer = httpx.get(f"http://127.0.0.1:{port}{path}", timeout=60).raise_for_status().json()
    return [hit["track"]["track_id"] for hit in answer["hits"]]


def exact(conn: psycopg.Connection, probe: str, kind: str, condition: str, besides: str) -> dict[str, float]:
    """The ten nearest, and whatever is as near as the tenth."""
    rows = conn.execute(
        f"""
        select e.track_id, e.embedding <=> %s::vector from track_embeddings e
        join tracks t using (username, track_id)
        where e.username = 'dj' and e.kind = %s and e.track_id <> %s and {condition} order by 2 limit 10
        """,
        [probe, kind, besides],
    ).fetchall()
    return {str(track): float(distance) for track, distance in rows}


def recalls(url: str, port: int, tracks: list[str], texts: list[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    embedder = LocalEmbedder()
    probes = [_written(v) for v in asyncio.run(embedder.embed(texts)) if v is not None]
    with psycopg.connect(url) as conn:
        for name, (query, condition) in _FILTERS.items():
            shares, meant = [], []
            for track in tracks:
                row = conn.execute(
                    "select embedding::text from track_embeddings"
                    " where username = 'dj' and track_id = %s and kind = 'audio'",
                    [track],
                ).fetchone()
                assert row is not None
                best = exact(conn, row[0], "audio", condition, track)
                got = ask(port, f"/api/tracks/{track}/similar?limit=10{query}")
                shares.append(len(set(got) & set(best)) / len(best))
            for text, probe in zip(texts, probes, strict=True):
                best = exact(conn, probe, "text", condition, "")
                # The gateway shows nothing below the floor, and texts that say the same are equally near.
                above = [track for track, distance in best.items() if 1 - distance >= embedder.floor]
                if above:
                    limit = max(best[track] for track in above) + 1e-4
                    got = ask(port, f"/api/search/semantic?q={quote(text)}&limit=10{query}")
                    meant.append(_near_enough(conn, probe, got, limit) / len(above))
            found[f"sound, {name}"] = sum(shares) / len(shares)
            found[f"meaning, {name}"] = sum(meant) / max(1, len(meant))
    return found


def _near_enough(conn: psycopg.Connection, probe: str, tracks: list[str], distance: float) -> int:
    row = conn.execute(
        """
        select count(*) from track_embeddings
        where username = 'dj' and kind = 'text' and track_id = any(%s) and embedding <=> %s::vector <= %s
        """,
        [tracks, probe, distance],
    ).fetchone()
    return int(row[0]) if row else 0


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dj bench recall")
    parser.add_argument("--tracks", type=int, default=100_000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--questions", type=int, default=40, help="of each kind, for recall")
    parser.add_argument("--requests", type=int, default=400, help="of each kind, for time")
    parser.add_argument("--data", type=Path, help="a folder that keeps the collections for the next run")
    options = parser.parse_args()
    rng = random.Random(7)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each question would bury the table
    with parts(options.data, RATE_LIMIT_PER_SECOND="0") as made:
        started = time.monotonic()
        fill(made.database_url, options.tracks, rng)
        print(f"Filled in {time.monotonic() - started:.0f} s.", flush=True)
        started = time.monotonic()
        asyncio.run(build_indexes(made.database_url))
        built = time.monotonic() - started
        print(f"Indexes of both models built in {built:.0f} s.", flush=True)
        (bare_port,) = free_ports(1)
        gateway = made.start("gateway")
        made.add("bare", str(ROOT / "bench" / "_bare_row.py"), PORT=str(bare_port))
        made.start("bare")
        wait_for(f"{made.gateway_url}/health")
        wait_for(f"http://127.0.0.1:{bare_port}/row/t1")
        gateway_port = int(made.gateway_url.rpartition(":")[2])
        timings = asyncio.run(times(options, gateway_port, bare_port, rng))
        tracks = [f"t{rng.randrange(options.tracks)}" for _ in range(options.questions)]
        texts = [_sentence(rng) for _ in range(options.questions)]
        found = recalls(made.database_url, gateway_port, tracks, texts)
        print(f"{options.tracks} tracks beside {options.tracks // 5} of another; {_WANTED_RECALL} is wanted.")
        for name, share in found.items():
            print(f"recall at ten, {name:<28}{share:>8.3f}")
        memory = peak_memory_mb(gateway)
        print(f"gateway with the local model at its most, MB (250){memory:>10.1f}")
    save(
        "recall",
        {
            "tracks": options.tracks,
            "clients": options.clients,
            "processors": processors(),
            "index_seconds": built,
            "gateway_mb": memory,
            "recall": found,
            "milliseconds": {
                name: {"median": t.median, "p95": t.quantile(0.95), "failed": t.failed}
                for name, t in timings.items()
            },
        },
    )


async def build_indexes(url: str) -> None:
    async with make_pool(url, 2) as pool:
        await ensure_indexes(pool)


async def times(
    options: argparse.Namespace, gateway_port: int, bare_port: int, rng: random.Random
) -> dict[str, Timings]:
    def track() -> str:
        return f"t{rng.randrange(options.tracks)}"

    timings = {
        "bare FastAPI + psycopg row": await measure(
            bare_port, [f"/row/{track()}" for _ in range(options.requests)], options.clients
        )
    }
    for name, (query, _) in _FILTERS.items():
        for kind, paths in (
            ("sound", [f"/api/tracks/{track()}/similar?limit=20{query}" for _ in range(options.requests)]),
            (
                "meaning",
                [
                    f"/api/search/semantic?q={quote(_sentence(rng))}&limit=20{query}"
                    for _ in range(options.requests)
                ],
            ),
        ):
            await measure(gateway_port, paths[:40], options.clients)
            timings[f"{kind}, {name}"] = await measure(gateway_port, paths, options.clients)
    print(f"{options.clients} clients; a p95 under 30 ms by sound and 60 ms by meaning is wanted.")
    print(f"{'':<28}{'median':>9}{'p95':>9}{'failed':>8}{'x bare':>8}")
    bare = timings["bare FastAPI + psycopg row"].quantile(0.95)
    for name, t in timings.items():
        p95 = t.quantile(0.95)
        print(f"{name:<28}{t.median:>9.1f}{p95:>9.1f}{t.failed:>8}{p95 / bare:>8.1f}")
    return timings


def _sentence(rng: random.Random) -> str:
    return f"{rng.choice(_MOODS)} {rng.choice(_STYLES)} {rng.choice(['for sunrise', 'at night', 'to dance'])}"


if __name__ == "__main__":
    main()
