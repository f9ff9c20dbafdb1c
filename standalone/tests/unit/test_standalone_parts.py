"""The parts of the supervisor that need no process."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from standalone import postgres
from standalone.benchmarks import describe, list_benchmarks
from standalone.constellation import WORKSPACE
from standalone.home import Home
from standalone.log_files import last_line, readable, rotate, tail
from standalone.processes import Command, StartError, full_argv
from standalone.secret_files import secret


def test_a_secret_is_made_once_and_is_private(tmp_path: Path) -> None:
    first = secret(tmp_path, "token")
    assert secret(tmp_path, "token") == first
    assert len(first) >= 32
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600


def test_only_one_may_hold_the_data_folder(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert not home.is_running()
    lock = home.lock()
    assert home.is_running()
    with pytest.raises(StartError, match="already runs"):
        home.lock()
    os.close(lock)
    assert not home.is_running()


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match="cannot be made .*--data DIR"):
        Home(tmp_path / "file" / "data").create()


def test_music_folders_are_remembered_once_each(tmp_path: Path) -> None:
    home = Home(tmp_path)
    odd = Path(os.fsdecode(b"/music/\xff"))
    for folder in (Path("/a"), odd, Path("/a")):
        home.remember_music(folder)
    assert home.music_dirs() == [Path("/a"), odd]


def test_a_state_file_cut_short_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text('{"pid": 1, "serv')
    assert Home(tmp_path).read_state() == {}


def test_an_old_processor_is_refused_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("flags : fpu sse sse2 avx\n")
    with pytest.raises(StartError, match="no AVX2.*DATABASE_URL"):
        postgres.refuse_old_cpu(cpuinfo)
    cpuinfo.write_text("flags : fpu avx avx2 bmi1\n")
    postgres.refuse_old_cpu(cpuinfo)


@pytest.mark.skipif(os.name != "posix" or not Path("/proc").exists(), reason="setpriv is of Linux")
def test_a_child_is_told_of_its_parents_death_by_its_own_stop_signal() -> None:
    argv = full_argv(Command(("sleep", "1"), cwd=Path("/"), stop_signal=signal.SIGINT))
    assert argv[1:3] == ["--pdeathsig", "INT"]
    assert argv[-2:] == ["sleep", "1"]


def test_a_log_is_cut_when_large_and_the_older_half_kept_beside(tmp_path: Path) -> None:
    log = tmp_path / "ga.log"
    log.write_text("x" * 100)
    rotate(log, most_bytes=1000)
    assert log.stat().st_size == 100
    with log.open("a") as writer:
        rotate(log, most_bytes=50)
        writer.write("after")
    assert log.read_text() == "after"
    assert (tmp_path / "ga.log.1").read_text() == "x" * 100


def test_a_json_line_becomes_a_readable_one() -> None:
    line = {
        "timestamp": "2026-01-02T03:04:05.6Z",
        "level": "info",
        "event": "job_done",
        "job_id": "7",
        "service": "w",
    }
    assert readable(json.dumps(line)) == "2026-01-02 03:04:05 INFO    job_done job_id=7"
    assert readable("plain text") == "plain text"
    assert readable("[1]") == "[1]"


def test_the_tail_of_several_logs_names_each(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("one\ntwo\nthree\n")
    (tmp_path / "b.log").write_text("")
    assert list(tail([tmp_path / "a.log", tmp_path / "b.log"], lines=2, follow=False)) == [
        ("a", "two"),
        ("a", "three"),
    ]
    assert last_line(tmp_path / "a.log") == "three"
    assert last_line(tmp_path / "none.log") == ""


def test_every_benchmark_says_what_it_does() -> None:
    for path in list_benchmarks(WORKSPACE / "bench").values():
        assert describe(path), f"{path} begins with no docstring"


@pytest.mark.parametrize("arguments", [[], ["-h"], ["--help"]])
def test_help_is_there_before_anything_is_made(tmp_path: Path, arguments: list[str]) -> None:
    alone = shutil.copy(WORKSPACE / "dj", tmp_path)
    shown = subprocess.run([sys.executable, alone, *arguments], capture_output=True, text=True, check=True)
    assert "./dj demo" in shown.stdout
    assert list(tmp_path.iterdir()) == [tmp_path / "dj"]
