"""One source after the other: searched, named, uploaded, on this machine; checked before it is attached."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mutagen
import pytest

from dj_contracts.downloads import SameSound
from download_worker import media
from download_worker.testing.audio_server import AudioServer, Listed
from download_worker.testing.constellation import Constellation, until
from download_worker.testing.fake_gateway import FakeGateway, FakeJob
from download_worker.testing.tunes import write_tune

Run = Callable[..., FakeJob]
STRINGS = {"title": "Strings of Life", "artist": "Rhythim Is Rhythim", "year": 1987, "duration_seconds": 30}


@pytest.fixture(scope="session")
def tunes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("tunes")
    ffmpeg = media.find_ffmpeg()
    made = {"right.mp3": (1, 30), "live.mp3": (2, 34), "edit.mp3": (3, 18), "other.mp3": (4, 30)}
    files = {name: write_tune(folder / name, seed, length, ffmpeg) for name, (seed, length) in made.items()}
    files["right.flac"] = write_tune(folder / "right.flac", 1, 30, ffmpeg)
    return {name: path.read_bytes() for name, path in files.items()}


@pytest.fixture
def run(
    constellation: Constellation,
    gateway: FakeGateway,
    web: AudioServer,
    tunes: dict[str, bytes],
    tmp_path: Path,
) -> Run:
    web.files.update({name: ("audio/mpeg", content) for name, content in tunes.items()})
    music = tmp_path / "music"
    music.mkdir()

    def start(payload: dict[str, Any], wanted: Any = STRINGS, job_id: str = "d1", **changes: str) -> FakeJob:
        job = gateway.add(job_id, {"kind": "download", **payload}, wanted=wanted)
        if not constellation.workers:
            settings = {"SEARCH_LINKS": f"{web.url}/search?q={{query}}", "MUSIC_DIRS": str(music)}
            constellation.start_worker(**settings | changes)
        constellation.enqueue(job_id)
        until(lambda: job.completions or job.failures, seconds=90, what=constellation.log()[-3000:])
        until(lambda: not constellation.incoming())
        return job

    return start


DECOYS = [
    Listed("Rhythim Is Rhythim - Strings Of Life (Live)", "live.mp3", 30),
    Listed("Rhythim Is Rhythim - Strings Of Life (Sped Up)", "edit.mp3", 30),
    Listed("Rhythim Is Rhythim - Strings Of Life (Radio Edit)", "edit.mp3", 18),
    Listed("Rhythim Is Rhythim - Strings Of Life [10 hours]", "live.mp3", 36000),
    Listed("Derrick Carter - Strings Of Life", "other.mp3", 30),
    Listed("Rhythim Is Rhythim - Nude Photo", "other.mp3", 30),
    Listed("Rhythim Is Rhythim - Strings Of Life", "other.mp3", 36000),
    Listed("Rhythim Is Rhythim - Strings Of Life", "edit.mp3", 18),
    Listed("Rhythim Is Rhythim - Strings Of Life", "live.mp3", None),
]


def test_the_right_one_is_found_among_decoys(
    run: Run, constellation: Constellation, web: AudioServer, tunes: dict[str, bytes]
) -> None:
    web.finds = [*DECOYS, Listed("Rhythim Is Rhythim - Strings Of Life (Original Mix)", "right.mp3", 30)]
    done = run({"sources": ["search"]}, SEARCH_RESULTS="20").downloaded
    assert (done.source, done.source_url) == ("search", f"{web.url}/right.mp3")
    assert (constellation.audio_dir / done.audio_path).read_bytes() == tunes["right.mp3"]
    assert "/search?q=Rhythim+Is+Rhythim+Strings+of+Life" in web.seen
    assert not {"/live.mp3", "/other.mp3", "/edit.mp3"} & set(web.seen)


def test_among_decoys_alone_nothing_is_attached_and_a_person_is_asked(
    run: Run, constellation: Constellation, web: AudioServer
) -> None:
    web.finds = DECOYS
    failure = run({"sources": ["search"]}, SEARCH_RESULTS="20").failures[0]
    assert (failure.code, failure.transient) == ("needs_review", False)
    assert constellation.audio_files() == []
    assert all(one.reasons and one.score < 0.9 for one in failure.candidates)
    scores = [one.score for one in failure.candidates]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == 3, "one for each link"


def test_a_find_that_lied_about_its_length_is_not_attached(
    run: Run, constellation: Constellation, web: AudioServer
) -> None:
    web.finds = [Listed("Rhythim Is Rhythim - Strings Of Life", "edit.mp3", 30)]
    failure = run({"sources": ["search"]}).failures[0]
    assert failure.code == "wrong_length"
    assert [(one.source, one.code) for one in failure.tried] == [
        ("search", "wrong_length"),
        ("search", "no_match"),
    ]
    assert constellation.audio_files() == []


@pytest.mark.parametrize(
    ("wanted", "code"), [(STRINGS, "no_match"), ({"title": "Untitled"}, "no_match"), (None, "no_match")]
)
def test_nothing_found_is_said(run: Run, wanted: Any, code: str) -> None:
    failure = run({"sources": ["search"]}, wanted).failures[0]
    assert (failure.code, failure.transient) == (code, False)


def test_a_search_that_is_away_is_tried_again(run: Run, web: AudioServer) -> None:
    failure = run({"sources": ["search"]}, SEARCH_LINKS=f"{web.url}/status/503").failures[0]
    assert (failure.code, failure.transient) == ("source_unavailable", True)


def test_the_next_source_is_asked_and_why_is_kept(run: Run, web: AudioServer) -> None:
    web.finds = [Listed("Rhythim Is Rhythim - Strings Of Life", "right.mp3", 30)]
    links = ["https://music.apple.com/us/song/x/1", f"{web.url}/status/404.mp3", f"{web.url}/silence.mp3"]
    job = run({"sources": ["gamdl", "yt-dlp", "search"]}, STRINGS | {"links": links})
    done = job.downloaded
    assert done.source == "search"
    assert [(one.source, one.code) for one in done.tried] == [
        ("gamdl", "source_unsupported"),
        ("yt-dlp", "source_gone"),
        ("yt-dlp", "not_audio"),
    ]


def test_the_order_is_the_one_that_was_wished(run: Run, web: AudioServer) -> None:
    web.finds = [Listed("Rhythim Is Rhythim - Strings Of Life", "right.mp3", 30)]
    job = run({"sources": ["search", "yt-dlp"]}, STRINGS | {"links": [f"{web.url}/right.flac"]})
    assert (job.downloaded.source, job.downloaded.tried) == ("search", [])


def test_a_link_without_an_order_is_all_that_is_tried(run: Run, web: AudioServer) -> None:
    web.finds = [Listed("Rhythim Is Rhythim - Strings Of Life", "right.mp3", 30)]
    links = {"links": [f"{web.url}/right.mp3"]}
    failure = run({"url": f"{web.url}/status/404.mp3"}, STRINGS | links).failures[0]
    assert failure.code == "source_gone"
    assert len(failure.tried) == 1


def test_when_one_may_pass_the_whole_is_tried_again(run: Run, web: AudioServer) -> None:
    links = {"links": [f"{web.url}/status/404.mp3", f"{web.url}/status/503.mp3"]}
    failure = run({"sources": ["yt-dlp"]}, STRINGS | links).failures[0]
    assert (failure.code, failure.transient) == ("source_unavailable", True)


def test_a_link_of_another_length_is_refused_unless_that_is_said_to_be_right(
    run: Run, web: AudioServer
) -> None:
    failure = run({"url": f"{web.url}/edit.mp3"}).failures[0]
    assert (failure.code, failure.transient) == ("wrong_length", False)
    assert "0:18" in failure.detail
    assert run({"url": f"{web.url}/edit.mp3", "any_length": True}, job_id="d2").completions
    assert run({"url": f"{web.url}/edit.mp3", "duration_seconds": 18}, job_id="d3").completions


def test_the_sound_of_another_track_is_not_attached_twice(
    run: Run, constellation: Constellation, gateway: FakeGateway, web: AudioServer
) -> None:
    gateway.same_sound = [SameSound(track_id="9-B", title="Good Life", artist="Inner City", similarity=0.98)]
    failure = run({"url": f"{web.url}/right.mp3"}).failures[0]
    assert (failure.code, failure.transient) == ("duplicate_audio", False)
    assert "Good Life" in failure.detail
    assert constellation.audio_files() == []
    assert len(gateway.asked[0].fingerprint.items) > 100
    assert run({"url": f"{web.url}/right.mp3", "allow_duplicate": True}, job_id="d2").completions


def test_the_same_track_on_another_release_is_no_duplicate(
    run: Run, gateway: FakeGateway, web: AudioServer
) -> None:
    gateway.same_sound = [
        SameSound(track_id="9-B", title="Strings Of Life", artist="Rhythim Is Rhythim", similarity=0.98)
    ]
    assert run({"url": f"{web.url}/right.mp3"}).completions


def test_it_is_converted_on_request_and_tagged(
    run: Run, constellation: Constellation, web: AudioServer
) -> None:
    done = run({"url": f"{web.url}/right.flac", "format": "mp3", "write_tags": True}).downloaded
    assert (done.codec, done.lossless, done.tags_written) == ("mp3", False, True)
    path = constellation.audio_dir / done.audio_path
    tags = mutagen.File(path).tags
    assert (str(tags["TIT2"]), str(tags["TPE1"]), str(tags["TDRC"])) == (
        "Strings of Life",
        "Rhythim Is Rhythim",
        "1987",
    )
    stat = path.stat()
    assert (done.size_bytes, done.mtime_ns) == (stat.st_size, stat.st_mtime_ns)


def test_lossless_stays_lossless(run: Run, web: AudioServer) -> None:
    done = run({"url": f"{web.url}/right.flac", "format": "wav"}).downloaded
    assert (done.codec, done.lossless) == ("pcm_s16le", True)


def test_a_lossy_source_is_not_dressed_up(run: Run, constellation: Constellation, web: AudioServer) -> None:
    failure = run({"url": f"{web.url}/right.mp3", "format": "flac"}).failures[0]
    assert (failure.code, failure.transient) == ("not_lossless", False)
    assert constellation.audio_files() == []
    links = {"links": [f"{web.url}/right.mp3", f"{web.url}/right.flac"]}
    done = run({"sources": ["yt-dlp"], "format": "flac"}, STRINGS | links, "d2").downloaded
    assert (done.codec, done.lossless) == ("flac", True)
    assert done.tried[0].code == "not_lossless"


def test_what_is_asked_for_in_its_own_form_is_kept_byte_for_byte(
    run: Run, constellation: Constellation, web: AudioServer, tunes: dict[str, bytes]
) -> None:
    done = run({"url": f"{web.url}/right.mp3", "format": "mp3"}).downloaded
    assert (constellation.audio_dir / done.audio_path).read_bytes() == tunes["right.mp3"]


def test_an_upload_is_verified_attached_and_then_let_go(
    run: Run, constellation: Constellation, tunes: dict[str, bytes]
) -> None:
    uploads = constellation.audio_dir / ".uploads"
    uploads.mkdir()
    (uploads / "a.mp3").write_bytes(tunes["right.mp3"])
    (uploads / "b.mp3").write_bytes(b"text")
    done = run({"file": ".uploads/a.mp3", "sources": ["upload"]}).downloaded
    assert done.source == "upload"
    until(lambda: not (uploads / "a.mp3").exists())
    failure = run({"file": ".uploads/b.mp3", "sources": ["upload"]}, job_id="d2").failures[0]
    assert failure.code == "not_audio"
    assert (uploads / "b.mp3").exists()


def test_a_file_of_a_music_folder_is_copied_and_left_as_it_is(
    run: Run, constellation: Constellation, tmp_path: Path, tunes: dict[str, bytes]
) -> None:
    original = tmp_path / "music" / "Strings.mp3"
    original.write_bytes(tunes["right.mp3"])
    before = original.stat().st_mtime_ns
    done = run({"file": str(original), "write_tags": True}).downloaded
    assert (done.source, done.tags_written) == ("local", True)
    assert (original.read_bytes(), original.stat().st_mtime_ns) == (tunes["right.mp3"], before)
    assert (constellation.audio_dir / done.audio_path).read_bytes() != tunes["right.mp3"]


@pytest.mark.parametrize("file", ["/etc/hostname", "../secret.mp3", "ana/a.mp3", ".uploads/../../secret.mp3"])
def test_a_file_outside_the_folders_is_never_read(
    run: Run, constellation: Constellation, tmp_path: Path, file: str, tunes: dict[str, bytes]
) -> None:
    (constellation.audio_dir / "ana").mkdir()
    (constellation.audio_dir / "ana" / "a.mp3").write_bytes(tunes["right.mp3"])
    (tmp_path / "secret.mp3").write_bytes(tunes["right.mp3"])
    failure = run({"file": file}).failures[0]
    assert (failure.code, failure.transient) in (("forbidden", False), ("file_missing", False))


def test_a_link_out_of_a_music_folder_is_not_followed(
    run: Run, tmp_path: Path, tunes: dict[str, bytes]
) -> None:
    (tmp_path / "secret.mp3").write_bytes(tunes["right.mp3"])
    link = tmp_path / "music" / "a.mp3"
    link.symlink_to(tmp_path / "secret.mp3")
    assert run({"file": str(link)}).failures[0].code == "forbidden"


def test_cookies_are_copied_for_the_job_and_never_rewritten(
    run: Run, web: AudioServer, tmp_path: Path
) -> None:
    folder = tmp_path / "cookies"
    folder.mkdir()
    content = "# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tkey\tvalue\n"
    file = folder / "127.0.0.1.txt"
    file.write_text(content)
    before = file.stat().st_mtime_ns
    assert run({"url": f"{web.url}/right.mp3"}, COOKIES_DIR=str(folder)).completions
    assert (file.read_text(), file.stat().st_mtime_ns) == (content, before)
    assert list(folder.iterdir()) == [file]
    failure = run({"url": f"{web.url}/status/401.mp3"}, job_id="d2").failures[0]
    assert failure.code == "cookies_expired"
    assert "127.0.0.1.txt" in failure.detail
    shutil.rmtree(folder)


def test_progress_has_bytes_and_speed(run: Run, web: AudioServer, constellation: Constellation) -> None:
    web.gate.set()
    job = run({"url": f"{web.url}/slow/tone.wav"}, None)
    seen = [pulse for pulse in job.pulses if pulse.bytes_done]
    assert job.completions
    assert not seen or all((pulse.bytes_total or 0) >= (pulse.bytes_done or 0) for pulse in seen)
