"""The images, built once, and the stacks that the tests share."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from e2e.rehearsal.engine import BASE, IMAGES, SECRETS, Stack, docker, running
from standalone.constellation import WORKSPACE
from standalone.crate import RECORDS
from standalone.crate.arrangement import render
from standalone.crate.files import encode, tag

_NEXT = "0.0.2-rehearsal"


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    """Without an engine nothing here can be shown, and that is said rather than passed over in silence."""
    if not shutil.which("docker"):
        pytest.skip("there is no docker on this machine: the compose files were NOT rehearsed")
    asked = subprocess.run(["docker", "info"], capture_output=True, timeout=60, check=False)
    if asked.returncode != 0:
        pytest.skip("the docker engine does not answer: the compose files were NOT rehearsed")


@pytest.fixture(scope="session")
def images(engine: None) -> None:
    """Every image, built as docker-compose.yml says."""
    Stack(BASE).compose("build")


@pytest.fixture(scope="session")
def registry(images: None) -> Iterator[dict[str, str]]:
    """The same images under the names that docker-compose.prod.yml asks for; nothing is pulled."""
    names = {"DJ_REGISTRY": "rehearsal.invalid/dj", "DJ_VERSION": "0.0.1-rehearsal"}
    tags = [f"{names['DJ_REGISTRY']}/{image}:{names['DJ_VERSION']}" for image in IMAGES]
    for image, tagged in zip(IMAGES, tags, strict=True):
        docker("tag", f"dj-playlist/{image}:local", tagged)
    yield {**SECRETS, **names, "BIND": "127.0.0.1"}
    docker("rmi", *tags)


# For the whole session, so that its images outlive the containers made of them.
@pytest.fixture(scope="session")
def next_version(registry: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same images under the next version's tag, with one more migration."""
    folder = tmp_path_factory.mktemp("next")
    number = len(list((WORKSPACE / "migrations" / "sql").glob("*.sql"))) + 1
    (folder / f"{number:04d}_rehearsal.sql").write_text("alter table tracks add column rehearsed boolean;\n")
    (folder / "Dockerfile").write_text(
        "FROM dj-playlist/migrations:local\nCOPY *_rehearsal.sql /opt/app/migrations/sql/\n"
    )
    tags = {image: f"{registry['DJ_REGISTRY']}/{image}:{_NEXT}" for image in IMAGES}
    for image, tagged in tags.items():
        docker("tag", f"dj-playlist/{image}:local", tagged)
    docker("build", "--quiet", "--tag", tags["migrations"], str(folder))
    yield _NEXT
    docker("rmi", *tags.values())


@pytest.fixture(scope="session")
def music() -> Iterator[Path]:
    """A music folder that the user of the containers may read; pytest's own folders are for one user."""
    folder = Path(tempfile.mkdtemp(prefix="dj rehearsal "))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def long_record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten minutes: an analysis that takes long enough to be killed in its middle."""
    path = tmp_path_factory.mktemp("long") / "long.flac"
    sound = render(RECORDS[0])
    encode(np.tile(sound, 1 + 600 * 44_100 // len(sound)), path)
    tag(path, RECORDS[0])
    return path


@pytest.fixture(scope="session")
def short_record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("short") / "short.mp3"
    encode(render(RECORDS[2]), path)
    tag(path, RECORDS[2])
    return path


@pytest.fixture(scope="session")
def stack(images: None, music: Path) -> Iterator[Stack]:
    """docker-compose.yml, up and well, shared by the tests that leave it well."""
    with running(Stack(BASE, {"MUSIC_DIR": str(music)})) as shared:
        shared.up()
        yield shared
