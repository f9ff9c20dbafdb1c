"""docs/deploy.md, pasted: a server is set up, filled, updated, taken back and moved by its words."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from e2e.rehearsal.engine import IMAGES, PROD, docker
from standalone.constellation import WORKSPACE
from standalone.crate import RECORDS
from standalone.crate.arrangement import render
from standalone.crate.files import encode
from standalone.gateway import Gateway
from standalone.ports import free_port_base

_BLOCK = re.compile(r"^```\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_REGISTRY = "rehearsal.invalid/page"


@dataclass
class Server:
    """A folder with the production file, and what its owner has beside it."""

    folder: Path
    port: int
    environment: dict[str, str]

    def paste(self, heading: str, number: int) -> None:
        section = (WORKSPACE / "docs" / "deploy.md").read_text().partition(f"\n## {heading}\n")[2]
        text = _BLOCK.findall(section.partition("\n## ")[0])[number]
        text = text.replace("localhost:8000", f"localhost:{self.port}")
        self.run(text.replace("docker stack deploy", "docker stack config").replace(" dj-playlist\n", "\n"))

    def run(self, text: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout

    def titles(self) -> set[str]:
        token = re.search(r"^API_TOKEN=(.+)$", (self.folder / ".env").read_text(), re.MULTILINE)
        assert token is not None
        gateway = Gateway(f"http://127.0.0.1:{self.port}", token=token[1])
        gateway.await_jobs(seconds=120)
        found = gateway.get("/api/tracks", limit=50)["tracks"]
        gateway.close()
        return {track["local_audio_url"] for track in found if track["bpm"]}

    def version(self) -> str:
        container = self.run("docker compose ps --quiet gateway-api").strip()
        return docker("inspect", "--format", "{{.Config.Image}}", container).strip().rpartition(":")[2]


@pytest.fixture(scope="module")
def server(
    registry: dict[str, str],
    next_version: str,
    short_record: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    tags = []
    for image in IMAGES:
        for version, source in (("0.1.0", registry["DJ_VERSION"]), ("0.2.0", next_version)):
            tags.append(f"{_REGISTRY}/{image}:{version}")
            docker("tag", f"{registry['DJ_REGISTRY']}/{image}:{source}", tags[-1])
    folder = tmp_path_factory.mktemp("server")
    (folder / "Music").mkdir()
    shutil.copy(short_record, folder / "Music" / "from my folder.mp3")
    encode(render(RECORDS[4]), folder / "song.mp3")
    (folder / "youtube.txt").write_text("# Netscape HTTP Cookie File\n")
    (folder / ".curlrc").write_text("fail-with-body\nshow-error\n")
    shutil.copy(WORKSPACE / PROD, folder)
    port = free_port_base(1)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "NO_PROXY": "*",
        "COMPOSE_PROJECT_NAME": "djrehearsal-page",
        "GATEWAY_PORT": str(port),
        "BIND": "127.0.0.1",
        "DJ_REGISTRY": _REGISTRY,
        **{name: value for name, value in os.environ.items() if name.startswith("DOCKER_")},
    }
    running = Server(folder, port, environment)
    try:
        yield running
    finally:
        running.run("docker compose down --timeout 10 --volumes")
        docker("rmi", *tags)


def test_a_server_is_set_up_updated_taken_back_and_moved(server: Server) -> None:
    server.paste("A server, or Portainer", 0)
    assert server.titles() == set()
    server.paste("A server, or Portainer", 1)
    filled = server.titles()
    assert len(filled) == 2
    assert server.version() == "0.1.0"
    server.paste("Updating, and going back", 0)
    assert (server.version(), server.titles()) == ("0.2.0", filled)
    server.paste("Updating, and going back", 1)
    assert (server.version(), server.titles()) == ("0.1.0", filled)
    server.paste("More workers, more machines", 0)
    server.paste("Moving to another machine", 0)
    server.run("docker compose down --timeout 30 --volumes && docker compose up -d --wait")
    assert server.titles() == set()
    server.paste("Moving to another machine", 1)
    assert server.titles() == filled
