"""The Dockerfiles keep hadolint's rules and ours, and the workflows are what GitHub reads."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from standalone.constellation import WORKSPACE

BIN = Path(sys.executable).parent
DOCKERFILES = sorted(WORKSPACE.glob("*/Dockerfile"))
WORKFLOWS = sorted((WORKSPACE / ".github" / "workflows").glob("*.yml"))


def shown(path: Path) -> str:
    return str(path.relative_to(WORKSPACE))


def run(tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [str(BIN / tool), *arguments]
    return subprocess.run(argv, cwd=WORKSPACE, capture_output=True, text=True, check=False)


def test_there_is_an_image_for_each_service_and_the_migrations() -> None:
    folders = {path.parent.name for path in DOCKERFILES}
    assert folders == {"gateway-api", "essentia-api", "ga-service", "download-worker", "migrations"}


@pytest.mark.skipif(not (BIN / "hadolint").exists(), reason="hadolint has no wheel for this machine")
def test_hadolint_finds_nothing() -> None:
    done = run("hadolint", "--no-color", *map(str, DOCKERFILES))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", DOCKERFILES, ids=shown)
def test_an_image_runs_without_root_on_the_common_base_under_an_init(path: Path) -> None:
    text = path.read_text()
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", text, re.MULTILINE))
    bases = {base for base in re.findall(r"^FROM (\S+)", text, re.MULTILINE) if "${" not in base}
    assert bases - stages == {"$BASE"}
    assert "\nARG BASE=python:3.13-slim-trixie\n" in text
    last = text.rpartition("\nFROM ")[2]
    assert "\nUSER 1000:1000\n" in last
    assert '\nENTRYPOINT ["tini", "--"]\n' in last
    assert "apt-get" not in last
    assert "HEALTHCHECK" in last or path.parent.name == "migrations"
    for label in ("title", "description", "version", "licenses", "base.name"):
        assert f"org.opencontainers.image.{label}=" in last


@pytest.mark.parametrize("path", DOCKERFILES, ids=shown)
def test_the_version_of_uv_is_that_of_dj(path: Path) -> None:
    wanted = re.search(r'^UV_VERSION = "(.+)"$', (WORKSPACE / "dj").read_text(), re.MULTILINE)
    assert wanted is not None
    assert f"uv=={wanted[1]}\n" in path.read_text()


def test_the_workflows_follow_the_schema_of_github() -> None:
    done = run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=shown)
def test_a_workflow_may_do_no_more_than_it_says(path: Path) -> None:
    assert re.search(r"^permissions:\n  contents: read$", path.read_text(), re.MULTILINE)


def test_a_release_is_built_on_one_digest_of_the_base_and_says_which() -> None:
    text = (WORKSPACE / ".github" / "workflows" / "images.yml").read_text()
    assert "BASE_IMAGE: python:3.13-slim-trixie\n" in text
    assert "BASE=${{ env.BASE_IMAGE }}@${{ steps.base.outputs.digest }}\n" in text
    assert "org.opencontainers.image.base.digest=${{ steps.base.outputs.digest }}\n" in text
