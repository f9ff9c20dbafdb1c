"""The reloader of the development containers, with real processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from standalone.testing import eventually

SOURCE = "import os, pathlib, time\npathlib.Path('said').write_text('{word}')\ntime.sleep(60)\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(SOURCE.format(word="first"))
    return tmp_path


@pytest.fixture
def reloader(folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    argv = [sys.executable, "-m", "dj_servicekit.reload", str(folder), "app"]
    process = subprocess.Popen(argv, cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)})
    yield process
    process.kill()
    process.wait()


def says(folder: Path, word: str) -> bool:
    said = folder / "said"
    return said.exists() and said.read_text() == word


def test_a_changed_file_starts_the_module_again_and_a_broken_one_does_not_end_it(
    folder: Path, reloader: "subprocess.Popen[bytes]"
) -> None:
    assert eventually(lambda: says(folder, "first"))
    (folder / "app.py").write_text("this is no Python")
    (folder / "new.py").touch()
    (folder / "app.py").write_text(SOURCE.format(word="second"))
    assert eventually(lambda: says(folder, "second"))
    assert reloader.poll() is None


def test_a_stop_ends_the_module_too(folder: Path, reloader: "subprocess.Popen[bytes]") -> None:
    assert eventually(lambda: says(folder, "first"))
    reloader.send_signal(signal.SIGTERM)
    assert reloader.wait(15) == 0
