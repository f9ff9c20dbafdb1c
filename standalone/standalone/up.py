"""``up``, ``down``, ``status`` and ``logs``."""

import json
import os
import shlex
import signal
import sys
import threading
import time
from pathlib import Path

import httpx

from standalone.constellation import Constellation, lay_out
from standalone.gateway import Gateway, GatewayError
from standalone.home import Home
from standalone.log_files import tail
from standalone.processes import StartError, find_setpriv
from standalone.supervisor import Health, Running, Supervisor

_FAILED = 1
_MOST_WORKERS = 64
_MISSING_SHOWN = 10


def up(data: Path, *, music: Path | None, port_base: int, workers: int = 1) -> int:
    if not 1 <= workers <= _MOST_WORKERS:
        raise StartError(f"--workers {workers} makes no sense here. Choose 1 to {_MOST_WORKERS}.")
    folder = _music_folder(music)
    if sys.platform.startswith("linux"):
        find_setpriv()
    home = Home(data.expanduser().absolute())
    home.create()
    lock = home.lock()
    try:
        if folder is not None:
            home.remember_music(folder)
        constellation = lay_out(home, port_base=port_base, music=_music_dirs(home), workers=workers)
        supervisor = Supervisor(home, constellation)

        def when_up() -> None:
            _print_urls(constellation, home)
            if folder is not None:
                threading.Thread(target=_scan, args=(constellation.gateway_url, folder), daemon=True).start()

        supervisor.run(_announce, when_up)
        print("Everything is stopped. The data are in", home.root, flush=True)
    finally:
        os.close(lock)
    return 0


def _music_folder(music: Path | None) -> Path | None:
    if music is None:
        return None
    folder = music.expanduser().absolute()
    if not folder.is_dir():
        raise StartError(f"There is no folder {folder}. Give --music the folder that holds your music.")
    if not os.access(folder, os.R_OK | os.X_OK):
        raise StartError(f"The folder {folder} cannot be read. Give this user the right to read it.")
    return folder.resolve()


def _music_dirs(home: Home) -> list[Path]:
    """Folders of the environment and those given before; one on a disk that is away is left out."""
    given = [Path(part) for part in os.environ.get("MUSIC_DIRS", "").split(os.pathsep) if part]
    found = dict.fromkeys(path.resolve() for path in [*given, *home.music_dirs()] if path.is_dir())
    return list(found)


def _announce(each: Running, seconds: float) -> None:
    where = each.service.url or ""
    print(f"  {each.service.name:<11}{each.health.value:<9}{seconds:5.1f} s  {where}".rstrip(), flush=True)


def _print_urls(constellation: Constellation, home: Home) -> None:
    print(
        f"\n  Gateway   {constellation.gateway_url}       API description: {constellation.gateway_url}/docs"
        f"\n  Essentia  {constellation.essentia_url}"
        f"\n  GA        {constellation.ga_url}"
        f"\n  Data      {home.root}"
        f"\n\nCtrl-C or ./dj down{home.option} stops everything; ./dj status{home.option} and "
        f"./dj logs{home.option} work in another terminal.",
        flush=True,
    )


def _scan(gateway_url: str, folder: Path) -> None:
    """In a thread of its own, for the supervisor has children to watch meanwhile."""
    said = ""

    def show(job: dict[str, object]) -> None:
        nonlocal said
        if job["stage"] != said:
            said = str(job["stage"])
            print(f"  scan: {said}", flush=True)

    gateway = Gateway(gateway_url)
    try:
        found = gateway.scan(str(folder), show)
        print(
            f"  scan: {found.get('found', 0)} files, {found.get('added', 0)} new, "
            f"{found.get('changed', 0)} changed, {found.get('unchanged', 0)} as before, "
            f"{len(found.get('passed_over', []))} passed over, {found.get('missing', 0)} missing",
            flush=True,
        )
        for one in found.get("missing_files", [])[:_MISSING_SHOWN]:
            print(f"    not there any more: {one['path']}", flush=True)
        _show_jobs(gateway)
    except (GatewayError, httpx.HTTPError) as exc:
        print(f"  scan: {exc}", flush=True)
    finally:
        gateway.close()


def _show_jobs(gateway: Gateway) -> None:
    left = -1

    def show(summary: dict[str, int]) -> None:
        nonlocal left
        now = summary.get("waiting", 0) + summary.get("active", 0)
        if now and (left < 0 or now <= left - max(1, left // 10)):
            left = now
            print(f"  analysis and downloads: {now} to go", flush=True)

    summary = gateway.await_jobs(show, seconds=7 * 24 * 3600)
    if left > 0:
        failed = summary.get("failed", 0)
        why = f", {failed} could not be read: GET /api/jobs?state=failed says why" if failed else ""
        print(f"  analysis and downloads: done{why}", flush=True)


def status(data: Path, *, as_json: bool) -> int:
    home = Home(data.expanduser().absolute())
    running = home.is_running()
    state = home.read_state() if running else {}
    if as_json:
        print(json.dumps({"running": running, "data": str(home.root), **state}, indent=2))
    elif not running:
        print(f"Nothing runs on {home.root}. Start it with ./dj up --data {shlex.quote(str(home.root))}")
    else:
        print(f"{'service':<12}{'health':<12}{'restarts':<10}url")
        for each in state.get("services", []):
            print(f"{each['name']:<12}{each['health']:<12}{each['restarts']:<10}{each['url'] or ''}".rstrip())
    well = {Health.HEALTHY.value, Health.DONE.value}
    return 0 if running and all(each["health"] in well for each in state.get("services", [])) else _FAILED


def down(data: Path) -> int:
    home = Home(data.expanduser().absolute())
    if not home.is_running():
        print(f"Nothing runs on {home.root}.")
        return 0
    pid = home.read_state().get("pid")
    if not isinstance(pid, int):
        raise StartError("The supervisor has only just begun. Try again in a moment.")
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 120
    while home.is_running():
        if time.monotonic() > deadline:
            raise StartError(f"The supervisor (process {pid}) did not stop within 2 minutes.")
        time.sleep(0.05)
    print("Everything is stopped.")
    return 0


def logs(data: Path, *, service: str | None, follow: bool, lines: int) -> int:
    home = Home(data.expanduser().absolute())
    found = sorted(home.logs.glob("*.log")) if home.logs.is_dir() else []
    names = [path.stem for path in found]
    if not found:
        raise StartError(f"There are no logs in {home.root} yet. Start with ./dj up")
    if service is not None and service not in names:
        raise StartError(f"There is no log of {service!r}. Choose one of: {', '.join(names)}")
    wanted = [path for path in found if service in (None, path.stem)]
    for name, line in tail(wanted, lines=lines, follow=follow):
        print(f"{name:<11}{line}" if service is None else line, flush=follow)
    return 0
