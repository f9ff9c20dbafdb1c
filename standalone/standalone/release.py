"""``./dj release X.Y.Z``: writes the version wherever it stands, and closes the changelog's chapter.

It changes files and nothing else: whoever releases looks at the difference, commits and tags.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from standalone.constellation import WORKSPACE
from standalone.processes import StartError

_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
_NUMBER = r"\d+\.\d+\.\d+"
_OPEN_CHAPTER = "## Unreleased\n"


@dataclass(frozen=True)
class Place:
    """Where a version stands: the one group of the pattern, in each file that matches."""

    files: str
    pattern: str


PLACES = (
    Place("pyproject.toml", rf'^version = "({_NUMBER})"$'),
    Place("*/pyproject.toml", rf'^version = "({_NUMBER})"$'),
    Place("uv.lock", rf'^version = "({_NUMBER})"\nsource = {{ (?:editable|virtual) = '),
    Place("*/Dockerfile", rf"^ARG VERSION=({_NUMBER})$"),
    Place("docker-compose.prod.yml", rf"\$\{{DJ_VERSION:-({_NUMBER})\}}"),
    Place(".env.example", rf"^#DJ_VERSION=({_NUMBER})$"),
)


def release(version: str, root: Path = WORKSPACE, today: date | None = None) -> int:
    current = find_version(root)
    if not _VERSION.fullmatch(version):
        raise StartError(f"{version!r} is no version. Give three numbers, such as {_next(current)}.")
    if _parts(version) <= _parts(current):
        raise StartError(
            f"{version} does not come after {current}. Give a later one, such as {_next(current)}."
        )
    changelog = root / "CHANGELOG.md"
    chapters = _close_chapter(changelog.read_text(), version, today or date.today())  # noqa: DTZ011 - the day here
    for path, place in _files(root):
        text = path.read_text()
        path.write_text(re.sub(place.pattern, lambda found: _put(found, version), text, flags=re.MULTILINE))
    changelog.write_text(chapters)
    print(
        f"{current} became {version}. Look at it, and then:\n\n"
        f"  git diff\n  git commit --all --message 'Release {version}'\n"
        f"  git tag --annotate v{version} --message 'Release {version}'\n  git push --follow-tags"
    )
    return 0


def find_version(root: Path = WORKSPACE) -> str:
    """The version that every place names; they never differ, or somebody edited one by hand."""
    found = {
        (str(path.relative_to(root)), str(version))
        for path, place in _files(root)
        for version in re.findall(place.pattern, path.read_text(), re.MULTILINE)
    }
    versions = {version for _, version in found}
    if len(versions) != 1:
        raise StartError(
            f"The places that name the version disagree: {sorted(found)}. Make them agree first."
        )
    return versions.pop()


def _files(root: Path) -> Iterator[tuple[Path, Place]]:
    for place in PLACES:
        for path in sorted(root.glob(place.files)):
            if not path.parent.name.startswith("."):
                yield path, place


def _put(found: re.Match[str], version: str) -> str:
    start, end = found.start(1) - found.start(), found.end(1) - found.start()
    whole = str(found[0])
    return whole[:start] + version + whole[end:]


def _close_chapter(text: str, version: str, today: date) -> str:
    before, heading, rest = text.partition(_OPEN_CHAPTER)
    body, mark, older = rest.partition("\n## ")
    if not heading or not body.strip():
        raise StartError("CHANGELOG.md has nothing under '## Unreleased'. Write there what is new.")
    return f"{before}{heading}\n## {version} - {today.isoformat()}\n{body}{mark}{older}"


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _next(version: str) -> str:
    major, minor, _ = _parts(version)
    return f"{major}.{minor + 1}.0"
