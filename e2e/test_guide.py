"""What the pages tell people to paste is pasted, from top to bottom, into a shell of an ordinary user.

``docs/deploy.md`` is followed by the rehearsal instead, for it wants a container engine.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.stack import ROOT, Stack
from standalone.crate import RECORDS
from standalone.crate.arrangement import render
from standalone.crate.files import encode, tag
from standalone.ports import free_port_base

PAGES = ("guide", "services/gateway-api", "services/essentia-api", "services/ga-service")
BLOCK = re.compile(r"^```\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# An error answer ends a command, and with it the page.
SHELL = ["bash", "-euo", "pipefail", "-c"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of somebody with some music, a song somewhere else, and the project's examples at hand."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "Music").mkdir()
    for record in RECORDS[:4]:
        path = folder / "Music" / f"{record.title}.mp3"
        encode(render(record), path)
        tag(path, record)
    shutil.copy(path, folder / "song.mp3")
    (folder / ".curlrc").write_text("fail-with-body\nshow-error\n")
    (folder / "contracts").symlink_to(ROOT / "contracts")
    return folder


@pytest.fixture(scope="module")
def own(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = Stack(tmp_path_factory.mktemp("own") / "data", free_port_base(3), home / "Music")
    try:
        running.start("--music", str(running.music))
        running.gateway.scan(str(running.music))
        running.gateway.await_jobs(seconds=120)
        yield running
    finally:
        running.gateway.close()
        running.interrupt()


@pytest.mark.skipif(not shutil.which("jq"), reason="the guide wants jq, which is not installed here")
@pytest.mark.skipif("DJ_E2E_URL" in os.environ, reason="the pages are followed on a constellation of our own")
@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_can_be_pasted_and_does_what_it_says(
    page: str, own: Stack, home: Path
) -> None:
    blocks = BLOCK.findall((ROOT / "docs" / f"{page}.md").read_text())
    text = "".join(block for block in blocks if not block.startswith("./dj"))
    for offset in range(3):
        text = text.replace(f"localhost:{8000 + offset}", f"127.0.0.1:{own.port_base + offset}")
    # What goes on until Ctrl-C gets one.
    text = re.sub(r"^(curl -sN .*)$", r"timeout --signal=INT 2 \1 || test $? = 124", text, flags=re.MULTILINE)
    done = subprocess.run(
        [*SHELL, f"set -x\n{text}"],
        cwd=home,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "NO_PROXY": "*"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
    assert "curl" in done.stderr
    assert "null" not in re.findall(r"^\++ \w+=(.*)$", done.stderr, re.MULTILINE)
