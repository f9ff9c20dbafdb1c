"""Range streams of the gateway, 50 at once, beside a server that does nothing but the kernel's sendfile.

    ./dj bench audio [--streams N] [--megabytes N] [--rounds N]

Each client asks for one range after the other of one file, as players do, and reads what comes into
one buffer. The two servers take turns, the order changes each round, and medians are compared.
"""

import argparse
import random
import socket
import statistics
import threading
import time

import httpx

from bench._constellation import ROOT, await_true, parts, processors
from bench._load import save, wait_for
from standalone.ports import free_ports

_FILE_BYTES = 200 * 1024**2
_WANTED = 0.8


def ask(port: int, path: str, spans: list[tuple[int, int]], failed: list[str]) -> None:
    buffer = bytearray(1024**2)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for start, stop in spans:
            request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nRange: bytes={start}-{stop - 1}\r\n\r\n"
            connection.sendall(request.encode())
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(65536)
            head, _, begun = head.partition(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 206"):
                failed.append(head.decode("latin-1"))
                return
            left = stop - start - len(begun)
            while left:
                left -= connection.recv_into(buffer, min(left, len(buffer)))


def megabytes_a_second(
    port: int, path: str, options: argparse.Namespace, rng: random.Random
) -> tuple[float, list[str]]:
    """What all streams got together."""
    length = options.megabytes * 1024**2
    failed: list[str] = []
    jobs = [
        [
            (start, start + length)
            for start in (rng.randrange(_FILE_BYTES - length) for _ in range(options.ranges))
        ]
        for _ in range(options.streams)
    ]
    threads = [threading.Thread(target=ask, args=(port, path, spans, failed)) for spans in jobs]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - started
    return options.streams * options.ranges * options.megabytes / took, failed


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(prog="./dj bench audio")
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--megabytes", type=int, default=16, help="of one range")
    parser.add_argument("--ranges", type=int, default=2, help="that each stream asks for in a round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with parts() as made:
        made.start("gateway")
        wait_for(f"{made.gateway_url}/health")
        gateway_port = int(made.gateway_url.rpartition(":")[2])
        track = upload(gateway_port)
        (bare_port,) = free_ports(1)
        file = str(made.audio_dir / track["local_audio_url"])
        made.add("bare", str(ROOT / "bench" / "_bare_sendfile.py"), file, str(bare_port))
        made.start("bare")
        await_true(lambda: listens(bare_port), "the bare server listens", seconds=30)
        report(options, gateway_port, f"/api/tracks/{track['track_id']}/audio", bare_port)


def upload(port: int) -> dict[str, str]:
    block = random.Random(1).randbytes(1024**2)
    content = (block for _ in range(_FILE_BYTES // len(block)))
    answer = httpx.put(f"http://127.0.0.1:{port}/api/upload/long%20set.wav", content=content, timeout=120)
    answer.raise_for_status()
    track: dict[str, str] = answer.json()
    return track


def report(options: argparse.Namespace, gateway_port: int, path: str, bare_port: int) -> None:
    rng = random.Random(7)
    servers = {"gateway": (gateway_port, path), "bare sendfile": (bare_port, "/")}
    rates: dict[str, list[float]] = {name: [] for name in servers}
    failed = 0
    for number in range(options.rounds + 1):
        order = list(servers) if number % 2 else list(reversed(servers))
        for name in order:
            rate, failures = megabytes_a_second(*servers[name], options, rng)
            failed += len(failures)
            if number:  # the first round warms the page cache
                rates[name].append(rate)
    medians = {name: statistics.median(found) for name, found in rates.items()}
    pairs = zip(rates["gateway"], rates["bare sendfile"], strict=True)
    share = statistics.median(ours / bare for ours, bare in pairs)
    print(
        f"{options.streams} streams, ranges of {options.megabytes} MB, {options.rounds} rounds, MB a second."
    )
    for name, median in medians.items():
        print(f"{name:<16}{median:>9.0f}   ({min(rates[name]):.0f} to {max(rates[name]):.0f})")
    print(f"{'share':<16}{share:>9.2f}   at least {_WANTED} is wanted; failed requests: {failed}")
    save(
        "audio",
        {
            "streams": options.streams,
            "megabytes": options.megabytes,
            "processors": processors(),
            "megabytes_a_second": medians,
            "share": share,
            "failed": failed,
        },
    )


if __name__ == "__main__":
    main()
