"""./dj release on a copy of what it edits."""

import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from standalone.constellation import WORKSPACE
from standalone.processes import StartError
from standalone.release import PLACES, find_version, release

DAY = date(2026, 12, 24)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    wanted = [path for place in PLACES for path in WORKSPACE.glob(place.files)]
    for path in (*wanted, WORKSPACE / "CHANGELOG.md"):
        target = tmp_path / path.relative_to(WORKSPACE)
        target.parent.mkdir(exist_ok=True)
        shutil.copy(path, target)
    (tmp_path / "CHANGELOG.md").write_text(
        "# Changelog\n\n## Unreleased\n\n- News.\n\n## 0.0.1 - 2026-01-01\n\n- Old.\n"
    )
    return tmp_path


def test_one_version_stands_in_every_place() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", find_version())
    for place in PLACES:
        files = list(WORKSPACE.glob(place.files))
        assert any(re.search(place.pattern, path.read_text(), re.MULTILINE) for path in files), place


def test_a_release_writes_the_version_everywhere_and_nothing_else(copy: Path) -> None:
    before = find_version(copy)
    texts = {path: path.read_text() for path in copy.rglob("*") if path.is_file()}
    assert release("7.8.9", copy, DAY) == 0
    assert find_version(copy) == "7.8.9"
    for path, text in texts.items():
        changed = [
            (old, new)
            for old, new in zip(text.splitlines(), path.read_text().splitlines(), strict=False)
            if old != new
        ]
        if path.name != "CHANGELOG.md":
            assert changed, path
            assert all(old.replace(before, "7.8.9") == new for old, new in changed), path


def test_the_changelogs_open_chapter_gets_the_version_and_the_day(copy: Path) -> None:
    release("7.8.9", copy, DAY)
    assert (copy / "CHANGELOG.md").read_text() == (
        "# Changelog\n\n## Unreleased\n\n## 7.8.9 - 2026-12-24\n\n- News.\n\n"
        "## 0.0.1 - 2026-01-01\n\n- Old.\n"
    )
    with pytest.raises(StartError, match="nothing under '## Unreleased'"):
        release("8.0.0", copy, DAY)


@pytest.mark.parametrize(
    ("version", "sentence"),
    [("next", "is no version"), ("v7.8.9", "is no version"), ("0.0.1", "does not come after")],
)
def test_a_wrong_version_is_refused_and_changes_nothing(copy: Path, version: str, sentence: str) -> None:
    before = find_version(copy)
    with pytest.raises(StartError, match=sentence):
        release(version, copy, DAY)
    assert find_version(copy) == before


def test_places_that_disagree_are_named(copy: Path) -> None:
    file = copy / "ga-service" / "Dockerfile"
    file.write_text(file.read_text().replace("ARG VERSION=", "ARG VERSION=9"))
    with pytest.raises(StartError, match="ga-service/Dockerfile"):
        find_version(copy)
