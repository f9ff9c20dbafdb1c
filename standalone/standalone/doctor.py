"""``./dj doctor``: what is wrong with a machine, one line a check."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import httpx

from standalone import postgres, valkey
from standalone.constellation import DEFAULT_PORT_BASE
from standalone.home import Home
from standalone.ports import is_taken
from standalone.processes import StartError, find_setpriv


def doctor(data: Path) -> int:
    """Every check is made, whatever the others say; the exit code is 1 when one found a fault."""
    home = Home(data.expanduser().absolute())
    checks: list[tuple[str, Callable[[], str]]] = [
        ("python", lambda: sys.version.split()[0]),
        ("processor", _processor),
        ("setpriv", lambda: find_setpriv() if sys.platform.startswith("linux") else "not needed here"),
        ("postgres", _postgres),
        ("valkey", lambda: _version(valkey.binary())),
        ("essentia", _essentia),
        ("ffmpeg", _ffmpeg),
        ("memory", _memory),
        ("data folder", lambda: _data(home)),
        ("ports", lambda: _ports(home)),
    ]
    faults = 0
    for name, check in checks:
        try:
            print(f"  ok     {name:<12} {check()}")
        except (StartError, OSError, subprocess.SubprocessError, ImportError) as exc:
            faults += 1
            print(f"  fault  {name:<12} {exc}")
    print("This machine is fit." if not faults else f"{faults} fault{'s' if faults > 1 else ''} found.")
    return 1 if faults else 0


def _processor() -> str:
    postgres.refuse_old_cpu()
    return f"{os.cpu_count()} cores"


def _postgres() -> str:
    with tempfile.TemporaryDirectory(prefix="dj-doctor-") as folder:
        postgres.prepare(Path(folder), sync=False)
    return f"{_version(postgres.bin_dir() / 'postgres')}, can make its files"


def _version(program: Path) -> str:
    said = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=True, timeout=20)
    return " ".join(said.stdout.split()[:3])


def _essentia() -> str:
    said = subprocess.run(
        [sys.executable, "-c", "import essentia; print(essentia.__version__)"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if said.returncode != 0:
        raise StartError((said.stderr.strip() or "cannot be loaded").splitlines()[-1])
    return said.stdout.split()[-1]


def _ffmpeg() -> str:
    if found := shutil.which("ffmpeg"):
        return found
    import imageio_ffmpeg

    return str(imageio_ffmpeg.get_ffmpeg_exe())


def _memory() -> str:
    import psutil

    available = psutil.virtual_memory().available // 1024**2
    if available < 900:
        raise StartError(f"Only {available} MB are free, and the constellation takes up to 900 MB.")
    return f"{available} MB free"


def _data(home: Home) -> str:
    if home.is_running():
        return f"{home.root}, in use by ./dj up"
    existing = next(path for path in (home.root, *home.root.parents) if path.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        raise StartError(f"{existing} cannot be written to. Choose another with --data DIR.")
    return f"{home.root}, {shutil.disk_usage(existing).free // 1024**3} GB free"


def _ports(home: Home, base: int = DEFAULT_PORT_BASE) -> str:
    if home.is_running():
        return "in use by ./dj up"
    ports = range(base, base + 3)
    taken = {port: _service_at(port) for port in ports if is_taken(port)}
    if others := [port for port, service in taken.items() if service is None]:
        raise StartError(f"{', '.join(map(str, others))} taken; use ./dj up --port-base N.")
    if taken:
        ours = ", ".join(f"{port} {service}" for port, service in taken.items())
        return f"DJ Playlist runs here: {ours}; for another beside it use ./dj up --port-base N"
    return f"{ports[0]} to {ports[-1]} are free"


def _service_at(port: int) -> str | None:
    """Which service of ours answers there; one of another data folder or a container is ours too."""
    try:
        said = httpx.get(f"http://127.0.0.1:{port}/health", timeout=2, trust_env=False).json()
    except (httpx.HTTPError, ValueError):
        return None
    name = said.get("service") if isinstance(said, dict) else None
    return name if name in ("gateway-api", "essentia-api", "ga-service") else None
