"""Names from outside, and folders of attempts."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from download_worker.places import final_path, job_folder, safe_component, sweep

AUDIO = Path("/audio")


@pytest.mark.parametrize("text", ["dj", "12345-A1", "DJ Ötzi 2", "a.b"])
def test_plain_names_stay_as_they_are(text: str) -> None:
    assert safe_component(text) == text


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "../..", "/etc", "a/b", "a\\b", "a\0b", ".hidden", "a ", "🎵", "x" * 300, "é" * 99],
)
def test_other_names_become_one_safe_component(text: str) -> None:
    name = safe_component(text)
    assert name != text
    assert "/" not in name
    assert "\0" not in name
    assert not name.startswith(".")
    assert 0 < len(name.encode()) <= 120


@given(st.text(max_size=300))
def test_any_text_names_something_inside(text: str) -> None:
    path = Path(os.path.normpath(final_path(AUDIO, text, text, f"http://example.org/{text}", "mp3")))
    assert path.parts[:2] == ("/", "audio")
    assert len(path.parts) == 5
    assert all(len(os.fsencode(part)) < 255 for part in path.parts)


@given(st.text(), st.text())
def test_two_names_never_meet(one: str, other: str) -> None:
    assert (safe_component(one) == safe_component(other)) == (one == other)


def test_the_final_place_depends_on_the_link_alone() -> None:
    first = final_path(AUDIO, "dj", "1-A", "http://example.org/a/My%20Track.wav?x=1", "mp3")
    assert first == final_path(AUDIO, "dj", "1-A", "http://example.org/a/My%20Track.wav?x=1", "mp3")
    assert first.name.startswith("My Track-")
    assert first != final_path(AUDIO, "dj", "1-A", "http://example.org/b/My%20Track.wav?x=1", "mp3")


def test_a_job_folder_is_empty_of_earlier_things_and_gone_afterwards(tmp_path: Path) -> None:
    with job_folder(tmp_path, "job1", 2) as folder:
        assert folder.path == tmp_path / ".incoming" / "job1-2"
        (folder.path / "audio.part").write_bytes(b"x")
    assert not folder.path.exists()


@pytest.mark.parametrize("job_id", ["../x", "a/b", "", "a.b", "x" * 200])
def test_a_strange_job_id_names_no_folder(tmp_path: Path, job_id: str) -> None:
    with pytest.raises(ValueError, match="cannot name a folder"), job_folder(tmp_path, job_id, 1):
        pass


def test_the_sweep_takes_dead_attempts_and_nothing_else(tmp_path: Path) -> None:
    incoming = tmp_path / ".incoming"
    outside = tmp_path / "dj"
    outside.mkdir()
    with job_folder(tmp_path, "alive", 1) as alive:
        dead = incoming / "dead-1"
        dead.mkdir()
        (dead / ".lock").touch()
        (dead / "audio.part").write_bytes(b"x")
        fresh = incoming / "fresh-1"
        fresh.mkdir()
        old = incoming / "old-1.new"
        old.mkdir()
        long_ago = time.time() - 3600
        os.utime(old, (long_ago, long_ago))
        (incoming / "not ours").mkdir()
        (incoming / "file-1").touch()
        (incoming / "link-1").symlink_to(outside)
        sweep(tmp_path)
        left = {path.name for path in incoming.iterdir()}
        assert left == {alive.path.name, "fresh-1", "not ours", "file-1", "link-1"}
    assert outside.exists()


def test_a_sweep_without_anything_to_sweep(tmp_path: Path) -> None:
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []
