"""One command starts, watches and stops everything, and says in a sentence when it cannot."""

import os
import signal
import socket
import subprocess
from pathlib import Path

import psutil
import pytest

from e2e.stack import ROOT, Stack, clean_environment, dj
from standalone.crate import RECORDS
from standalone.crate.arrangement import render
from standalone.crate.files import encode, tag
from standalone.ports import free_port_base
from standalone.testing import eventually

NAMES = ["postgres", "valkey", "migrations", "essentia", "ga", "gateway", "worker", "bridge"]


def is_gone(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def test_every_service_is_announced_in_order_and_the_urls_follow(stack: Stack) -> None:
    said = stack.said()
    announced = [line.split()[0] for line in said.splitlines()[: len(NAMES)]]
    # The two compute services start side by side, and whichever is first well is told first.
    assert sorted(announced[3:5]) == ["essentia", "ga"]
    assert announced[:3] + announced[5:] == NAMES[:3] + NAMES[5:]
    assert f"http://127.0.0.1:{stack.port_base}" in said


def test_status_names_each_service_and_the_data_stores(stack: Stack) -> None:
    status = stack.status()
    assert [each["name"] for each in status["services"]] == NAMES
    assert status["database_url"].startswith("postgresql://")
    assert status["redis_url"].startswith("redis://")
    plain = dj("status", "--data", str(stack.data)).stdout
    assert status["database_url"] not in plain


def test_no_secret_is_among_the_arguments_of_a_process(stack: Stack) -> None:
    words = ["postgres-password", "valkey-password", "service-token"]
    secrets = [(stack.data / name).read_text().strip() for name in words]
    for pid in stack.pids():
        arguments = " ".join(psutil.Process(pid).cmdline())
        assert not [name for name, value in zip(words, secrets, strict=True) if value in arguments]


def test_logs_of_one_service_and_of_all(stack: Stack) -> None:
    assert "ready to accept connections" in dj("logs", "postgres", "--data", str(stack.data)).stdout
    assert {line.split()[0] for line in dj("logs", "--data", str(stack.data)).stdout.splitlines()} >= {
        "postgres",
        "valkey",
    }
    wrong = dj("logs", "jukebox", "--data", str(stack.data))
    assert wrong.returncode == 1
    assert "jukebox" in wrong.stderr


def test_a_second_up_on_the_same_data_is_refused(stack: Stack) -> None:
    second = dj("up", "--data", str(stack.data), "--port-base", str(free_port_base(3)))
    assert second.returncode == 1
    assert "already runs" in second.stderr


@pytest.mark.parametrize("name", ["ga", "worker", "valkey", "postgres"])
def test_a_service_that_dies_is_started_again_and_status_says_so(stack: Stack, name: str) -> None:
    before = stack.service(name)
    os.kill(before["pid"], signal.SIGKILL)

    def is_back() -> bool:
        now = stack.service(name)
        return bool(now["pid"] != before["pid"] and now["health"] == "healthy")

    assert eventually(is_back, seconds=40)
    assert stack.service(name)["restarts"] == before["restarts"] + 1
    assert eventually(lambda: stack.gateway.get("/ready")["status"] == "ready", seconds=30)


def test_data_survive_a_kill_9_of_everything(stack: Stack) -> None:
    track = stack.gateway.post("/api/tracks", {"title": "Survivor"})
    pids = stack.pids()
    assert stack.process is not None
    for pid in (stack.process.pid, *pids):
        os.kill(pid, signal.SIGKILL)
    stack.process.wait(10)
    stack.start()
    assert stack.gateway.get(f"/api/tracks/{track['track_id']}")["title"] == "Survivor"


def test_a_kill_9_of_the_supervisor_leaves_no_orphan_and_the_next_up_works(stack: Stack) -> None:
    pids = stack.pids()
    assert stack.process is not None
    stack.process.kill()
    stack.process.wait(10)
    stack.start()
    assert eventually(lambda: all(is_gone(pid) for pid in pids), seconds=20)


def test_ctrl_c_stops_everything_and_the_next_up_scans_music_in_place(stack: Stack, own_music: Path) -> None:
    pids = stack.pids()
    assert stack.interrupt() == 0
    assert all(is_gone(pid) for pid in pids)
    assert dj("status", "--data", str(stack.data)).returncode == 1
    stack.start("--music", str(own_music))
    assert eventually(lambda: "1 files, 1 new" in stack.said(), seconds=30), stack.said()
    assert eventually(lambda: "analysis and downloads: done" in stack.said(), seconds=60), stack.said()


def test_down_stops_everything_and_music_is_read_afterwards_without_the_option(
    stack: Stack, own_music: Path
) -> None:
    pids = stack.pids()
    assert dj("down", "--data", str(stack.data)).returncode == 0
    assert stack.process is not None
    assert stack.process.wait(60) == 0
    assert all(is_gone(pid) for pid in pids)
    stack.start()
    assert stack.gateway.scan(str(own_music))["unchanged"] == 1


@pytest.fixture(scope="module")
def own_music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own music")
    encode(render(RECORDS[3]), folder / "song.mp3")
    tag(folder / "song.mp3", RECORDS[3])
    return folder


def test_a_taken_port_is_named_in_a_sentence_and_nothing_is_left_running(tmp_path: Path) -> None:
    base = free_port_base(3)
    with socket.create_server(("127.0.0.1", base + 1)):
        refused = dj("up", "--data", str(tmp_path / "data"), "--port-base", str(base))
    assert refused.returncode == 1
    assert f"Port {base + 1} is taken" in refused.stderr
    assert not children_of(tmp_path)


def test_a_missing_music_folder_is_named_in_a_sentence(tmp_path: Path) -> None:
    refused = dj("up", "--data", str(tmp_path / "data"), "--music", str(tmp_path / "nowhere"))
    assert refused.returncode == 1
    assert f"There is no folder {tmp_path / 'nowhere'}" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_a_full_disk_is_said_in_a_sentence(tmp_path: Path) -> None:
    refused = dj("up", "--data", str(tmp_path / "data"), DISK_FLOOR_BYTES=str(10**18))
    assert refused.returncode == 1
    assert "free" in refused.stderr


def test_a_start_that_fails_half_way_leaves_nothing_running(tmp_path: Path) -> None:
    refused = dj(
        "up",
        "--data",
        str(tmp_path / "data"),
        "--port-base",
        str(free_port_base(3)),
        REDIS_URL="redis://127.0.0.1:1/0",
    )
    assert refused.returncode == 1
    assert "REDIS_URL" in refused.stderr
    assert "postgres   healthy" in refused.stdout
    assert not children_of(tmp_path)


def children_of(folder: Path) -> list[str]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        arguments = " ".join(process.info["cmdline"] or [])
        if str(folder) in arguments and process.pid != os.getpid():
            found.append(arguments)
    return found


def test_help_fits_a_screen_and_comes_from_any_folder(tmp_path: Path) -> None:
    shown = subprocess.run(
        [str(ROOT / "dj")], cwd=tmp_path, env=clean_environment(), capture_output=True, text=True, check=True
    )
    assert "./dj demo" in shown.stdout
    assert len(shown.stdout.splitlines()) <= 24
