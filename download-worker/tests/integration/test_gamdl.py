"""Apple Music through a command that behaves like the real gamdl, which seldom says the truth."""

from collections.abc import Callable
from pathlib import Path

import pytest

from download_worker.testing.constellation import Constellation, any_runs, family_of, kill, until
from download_worker.testing.fake_gamdl import install
from download_worker.testing.fake_gateway import FakeGateway, FakeJob

Download = Callable[..., FakeJob]
COOKIES = "# Netscape HTTP Cookie File\n.music.apple.com\tTRUE\t/\tTRUE\t0\tmedia-user-token\tx\n"


@pytest.fixture
def cookies(tmp_path: Path) -> Path:
    folder = tmp_path / "cookies"
    folder.mkdir()
    (folder / "apple-music.txt").write_text(COOKIES)
    return folder


@pytest.fixture
def environment(tmp_path: Path, cookies: Path, samples: dict[str, tuple[str, bytes]]) -> dict[str, str]:
    audio = tmp_path / "apple.m4a"
    audio.write_bytes(samples["tone.m4a"][1])
    return {
        "GAMDL_COMMAND": str(install(tmp_path, audio)),
        "GAMDL_QUIET_SECONDS": "5",
        "GAMDL_TIMEOUT_SECONDS": "20",
        "COOKIES_DIR": str(cookies),
    }


@pytest.fixture
def run_song(constellation: Constellation, gateway: FakeGateway, environment: dict[str, str]) -> Download:
    def run(song: str, **changes: str) -> FakeJob:
        url = song if "://" in song else f"https://music.apple.com/us/song/a-song/{song}"
        job = gateway.add("d1", {"kind": "download", "url": url})
        constellation.start_worker(**environment | changes)
        constellation.enqueue("d1")
        until(lambda: job.completions or job.failures, seconds=60, what=constellation.log()[-3000:])
        until(lambda: not constellation.incoming())
        return job

    return run


def test_a_song_arrives(
    run_song: Download, constellation: Constellation, cookies: Path, environment: dict[str, str]
) -> None:
    job = run_song("whole")
    done = job.downloaded
    assert (done.source, done.codec, done.lossless) == ("gamdl", "aac", False)
    assert constellation.audio_files() == [done.audio_path]
    assert any((pulse.bytes_done or 0) > 0 for pulse in job.pulses) or done.size_bytes


def test_the_cookies_are_copied_and_never_rewritten(run_song: Download, cookies: Path) -> None:
    file = cookies / "apple-music.txt"
    file.chmod(0o400)
    before = file.stat()
    run_song("whole")
    after = file.stat()
    assert (file.read_text(), before.st_mtime_ns, before.st_ino) == (COOKIES, after.st_mtime_ns, after.st_ino)
    assert [path.name for path in cookies.iterdir()] == ["apple-music.txt"]


@pytest.mark.parametrize(
    ("song", "code", "transient"),
    [
        ("skipped", "source_gone", False),
        ("drm", "drm_protected", False),
        ("format", "source_unsupported", False),
        ("failed", "source_unavailable", True),
        ("half", "source_unavailable", True),
        ("http404", "source_gone", False),
        ("http401", "cookies_expired", False),
        ("http429", "rate_limited", True),
        ("http503", "source_unavailable", True),
        ("unsubscribed", "cookies_expired", False),
        ("prompt", "source_unavailable", True),
        ("many", "source_unsupported", False),
        ("https://music.apple.com/us/album/an-album/1", "source_unsupported", False),
    ],
)
def test_a_status_of_zero_is_not_believed(
    run_song: Download, constellation: Constellation, song: str, code: str, transient: bool
) -> None:
    failure = run_song(song).failures[0]
    assert (failure.code, failure.transient) == (code, transient), failure.detail
    assert constellation.audio_files() == []


def test_one_that_hangs_is_ended_with_its_children(run_song: Download, constellation: Constellation) -> None:
    failure = run_song("hang").failures[0]
    assert (failure.code, failure.transient) == ("upstream_timeout", True)
    assert not any_runs([pid for worker in constellation.workers for pid in family_of(worker.pid)][1:])


def test_one_that_only_talks_is_ended_at_its_time(run_song: Download) -> None:
    failure = run_song("chatty", GAMDL_TIMEOUT_SECONDS="4").failures[0]
    assert (failure.code, failure.transient) == ("upstream_timeout", True)


def test_one_that_writes_without_end_is_stopped(run_song: Download, constellation: Constellation) -> None:
    failure = run_song("huge", MAX_DOWNLOAD_BYTES="3000000").failures[0]
    assert failure.code in ("too_large", "source_unavailable")
    assert constellation.audio_files() == []


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"COOKIES_DIR": ""}, "cookies_expired", "apple-music.txt"),
        ({"GAMDL_COMMAND": "no-such-gamdl"}, "source_unsupported", "not installed"),
    ],
)
def test_what_is_missing_is_named(run_song: Download, changes: dict[str, str], code: str, says: str) -> None:
    failure = run_song("whole", **changes).failures[0]
    assert (failure.code, failure.transient) == (code, False)
    assert says in failure.detail


@pytest.mark.parametrize("content", ["{}", "", "# Netscape HTTP Cookie File\nno token\n"])
def test_cookies_of_another_kind_are_refused(run_song: Download, cookies: Path, content: str) -> None:
    (cookies / "apple-music.txt").write_text(content)
    failure = run_song("whole").failures[0]
    assert (failure.code, failure.transient) == ("cookies_expired", False)


def test_a_worker_that_is_killed_leaves_none_behind(
    constellation: Constellation, gateway: FakeGateway, environment: dict[str, str]
) -> None:
    gateway.add("d1", {"kind": "download", "url": "https://music.apple.com/us/song/a-song/hang"})
    worker = constellation.start_worker(**environment)
    constellation.enqueue("d1")
    # The work horse, the leash, gamdl, and the child that gamdl starts.
    until(lambda: len(family_of(worker.pid)) >= 4)
    family = family_of(worker.pid)
    kill(worker.pid, family[0])
    until(lambda: not any_runs(family), seconds=10)
    constellation.start_worker(**environment)
    until(lambda: not constellation.incoming(), seconds=15)


def test_cancelling_ends_it(
    constellation: Constellation, gateway: FakeGateway, environment: dict[str, str]
) -> None:
    gateway.add("d1", {"kind": "download", "url": "https://music.apple.com/us/song/a-song/hang"})
    worker = constellation.start_worker(**environment)
    constellation.enqueue("d1")
    until(lambda: len(family_of(worker.pid)) >= 3)
    gateway.cancel("d1")
    until(lambda: constellation.horse_of(worker) is None, seconds=10)
    assert constellation.incoming() == []
