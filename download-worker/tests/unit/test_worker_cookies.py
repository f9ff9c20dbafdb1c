"""Which cookies are for which link, and that a job only ever gets a copy."""

import stat
from pathlib import Path

import pytest

from download_worker.errors import JobFailed
from download_worker.sources.cookies import cookie_file, copy_cookies, refused

CONTENT = "# Netscape HTTP Cookie File\n.youtube.com\tTRUE\t/\tTRUE\t0\tname\tvalue\n"


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("youtube.txt", "https://www.youtube.com/watch?v=1"),
        ("youtube.txt", "https://youtu.be/1"),
        ("youtube.com.txt", "https://music.youtube.com/watch?v=1"),
        ("www.youtube.com.txt", "https://www.youtube.com/watch?v=1"),
        ("apple-music.txt", "https://music.apple.com/us/song/1"),
        ("soundcloud.txt", "https://SoundCloud.com/a/b"),
    ],
)
def test_a_file_is_found_by_the_name_of_its_site(tmp_path: Path, name: str, url: str) -> None:
    (tmp_path / name).write_text(CONTENT)
    assert cookie_file(tmp_path, url) == tmp_path / name


@pytest.mark.parametrize(
    "url", ["https://example.org/", "https://notyoutube.com/", "https://com/", "nothing"]
)
def test_the_cookies_of_one_site_are_never_sent_to_another(tmp_path: Path, url: str) -> None:
    (tmp_path / "youtube.txt").write_text(CONTENT)
    assert cookie_file(tmp_path, url) is None
    assert cookie_file(None, url) is None


def test_the_copy_is_for_its_owner_only_and_the_original_stays(tmp_path: Path) -> None:
    source, job = tmp_path / "youtube.txt", tmp_path / "job"
    source.write_text(CONTENT)
    source.chmod(0o400)
    job.mkdir()
    copy = copy_cookies(source, job)
    assert copy.read_text() == CONTENT
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    copy.write_text("rewritten")
    assert source.read_text() == CONTENT


@pytest.mark.parametrize("content", ["", "{}", "SQLite format 3\0", "a=b; c=d", "\xff\xfe"])
def test_another_kind_of_file_is_refused_by_name(tmp_path: Path, content: str) -> None:
    source = tmp_path / "youtube.txt"
    source.write_text(content)
    with pytest.raises(JobFailed, match=r"youtube\.txt.*Netscape") as failed:
        copy_cookies(source, tmp_path)
    assert failed.value.code == "cookies_expired"


def test_what_to_do_depends_on_whether_there_were_any() -> None:
    assert "have expired" in refused(Path("youtube.txt"), "YouTube", "youtube.txt").detail
    assert "wants a login" in refused(None, "YouTube", "youtube.txt").detail
