"""``./dj demo``: the main job from end to end on a crate made on the spot, told as it happens."""

import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from rich.console import Console

from standalone import demo_report as report
from standalone.constellation import WORKSPACE
from standalone.crate import RECORDS, CrateFile, make_crate
from standalone.gateway import JSON, Gateway, GatewayError
from standalone.home import Home
from standalone.log_files import last_line
from standalone.ports import free_port_base
from standalone.processes import Command, StartError, spawn, stop
from standalone.progress import Step, Steps

_PLAYLIST = "Demo set"
_M3U8 = "demo.m3u8"
# What is typed, and the title that it must find.
_TYPOS = (("Roler Rink Romanse", "Roller Rink Romance"), ("Nordlis", "Nordlys"))
_UP_SECONDS = 120.0
_ANALYSIS_SECONDS = 240.0


def demo(data: Path) -> int:
    console = Console(highlight=False)
    home = Home(data.expanduser().absolute())
    home.create()
    started = time.monotonic()
    report.opening(console)
    steps = Steps(console)
    files = _make_crate(steps, home)
    crate = files[0].path.parent
    home.remember_music(crate)  # so that ./dj up on this data plays it
    with _constellation(steps, home) as gateway:
        try:
            tracks = _import(steps, gateway, files)
            found = report.search(
                console, [(text, title, gateway.get("/api/tracks/search", q=text)) for text, title in _TYPOS]
            )
            built = _build_set(steps, gateway, tracks)
            target = Path.cwd() / _M3U8
            _save(steps, gateway, built, target)
            report.the_set(console, built)
            agreed = report.measured_against_truth(console, built["tracks"])
        except (GatewayError, httpx.HTTPError) as exc:
            raise StartError(f"The demo could not go on: {exc}. See: ./dj logs --data {home.root}") from exc
    report.closing(
        console,
        home=home,
        crate=crate,
        m3u8=target,
        seconds=time.monotonic() - started,
        made_before=not any(file.was_made for file in files),
    )
    return 0 if found and agreed else 1


def _make_crate(steps: Steps, home: Home) -> list[CrateFile]:
    files = []
    with steps.step("Making the crate", total=len(RECORDS)) as step:
        for file in make_crate(home.root / "crate"):
            files.append(file)
            step.advance(file.record.title)
        made = sum(file.was_made for file in files)
        step.done(f"{len(files)} tracks, {made} new" if made else f"{len(files)} tracks, made before")
    return files


@contextmanager
def _constellation(steps: Steps, home: Home) -> Iterator[Gateway]:
    """A real ``./dj up`` as a child, stopped at the end whatever happens."""
    argv = [sys.executable, "-P", "-m", "standalone", "up", "--data", str(home.root)]
    argv += ["--port-base", str(free_port_base(3))]
    said = home.root / "up.log"
    said.unlink(missing_ok=True)
    command = Command(tuple(argv), cwd=WORKSPACE, stop_signal=signal.SIGTERM)
    child = spawn(command, said)
    try:
        with steps.step("Starting the constellation", total=7) as step:
            url = _await_up(home, child, said, step)
            step.done(f"gateway on {url}")
        gateway = Gateway(url)
        yield gateway
        gateway.close()
        with steps.step("Stopping everything", total=1) as step:
            stop(child, command.stop_signal, grace_seconds=60)
            step.done("")
    finally:
        stop(child, command.stop_signal, grace_seconds=60)


def _await_up(home: Home, child: subprocess.Popen[bytes], said: Path, step: Step) -> str:
    deadline = time.monotonic() + _UP_SECONDS
    seen: set[str] = set()
    while True:
        state = home.read_state()
        services = state.get("services", []) if state.get("pid") == child.pid else []
        for each in services:
            if each["health"] in ("healthy", "done") and each["name"] not in seen:
                seen.add(each["name"])
                step.advance(each["name"])
        if services and len(seen) == len(services):
            return str(state["gateway_url"])
        if child.poll() is not None:
            why = last_line(said).removeprefix("dj: ") or "The constellation did not start."
            if "migrations" in why:
                old = shlex.quote(str(home.root))
                why += f" The demo's data are of another version: rm -r {old}, then try again."
            raise StartError(why)
        if time.monotonic() > deadline:
            raise StartError(f"The constellation was not up after {_UP_SECONDS:.0f} s. See: {said}")
        time.sleep(0.05)


def _import(steps: Steps, gateway: Gateway, files: list[CrateFile]) -> list[JSON]:
    """Scan the crate, wait for its analysis, and answer its tracks in the crate's order."""
    with steps.step("Importing", total=100) as step:
        found = gateway.scan(str(files[0].path.parent), lambda job: step.reach(job["progress"], job["stage"]))
        step.done(f"{found.get('added', 0)} new, {found.get('unchanged', 0)} as before")
    with steps.step("Analysing with Essentia", total=len(files)) as step:

        def show(summary: dict[str, int]) -> None:
            still_open = summary.get("waiting", 0) + summary.get("active", 0)
            step.reach(len(files) - min(still_open, len(files)), f"{still_open} to go")

        gateway.await_jobs(show, seconds=_ANALYSIS_SECONDS)
        known = {(track["artist"], track["title"]): track for track in _all_tracks(gateway)}
        tracks = [known[file.record.artist, file.record.title] for file in files]
        measured = sum(track["analyzed_at"] is not None for track in tracks)
        step.done(f"{measured} of {len(tracks)} measured" if found.get("added") else "measured before")
    return tracks


def _all_tracks(gateway: Gateway) -> list[JSON]:
    answer = gateway.get("/api/tracks", limit=200)
    tracks: list[JSON] = answer["tracks"] if isinstance(answer, dict) else answer
    return tracks


def _build_set(steps: Steps, gateway: Gateway, tracks: list[JSON]) -> JSON:
    with steps.step("Building the set", total=1) as step:
        built: JSON = gateway.post("/api/sets", {"track_ids": [track["track_id"] for track in tracks]})
        step.done(f"it mixes {built['score']:.0%}, the crate as it lay {built['input_score']:.0%}")
    return built


def _save(steps: Steps, gateway: Gateway, built: JSON, target: Path) -> None:
    ids = [track["track_id"] for track in built["tracks"]]
    with steps.step("Saving the playlist", total=1) as step:
        for old in gateway.get("/api/playlists"):
            if old["name"] == _PLAYLIST:
                gateway.delete(f"/api/playlists/{old['id']}")
        playlist = gateway.post("/api/playlists", {"name": _PLAYLIST, "track_ids": ids})
        text = gateway.text(f"/api/playlists/{playlist['id']}/export", format="m3u8")
        try:
            target.write_text(text, newline="")
        except OSError as exc:
            raise StartError(f"{target} cannot be written ({exc.strerror}). Run the demo elsewhere.") from exc
        step.done(f"“{_PLAYLIST}” and {target.name}")
