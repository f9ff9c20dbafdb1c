"""Downloads through real RQ, yt-dlp and ffmpeg, from a web server that behaves and misbehaves."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dj_contracts.jobs import JobState
from download_worker import media
from download_worker.testing.audio_server import AudioServer
from download_worker.testing.constellation import Constellation, until
from download_worker.testing.fake_gateway import FakeGateway, FakeJob

Download = Callable[..., FakeJob]
Samples = dict[str, tuple[str, bytes]]


@pytest.fixture
def run_download(constellation: Constellation, gateway: FakeGateway) -> Download:
    """Download a URL and return the job as it ended, with nothing left in the temporary folder."""

    def run(url: str, job_id: str = "d1", *, seconds: float = 60, **environment: str) -> FakeJob:
        job = gateway.add(job_id, {"kind": "download", "url": url})
        if not constellation.workers:
            constellation.start_worker(**environment)
        constellation.enqueue(job_id)
        until(lambda: job.completions or job.failures, seconds=seconds, what=constellation.log()[-3000:])
        until(lambda: not constellation.incoming())
        return job

    return run


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("tone.mp3", "mp3"),
        ("tone.wav", "wav"),
        ("tone.flac", "flac"),
        ("tone.m4a", "m4a"),
    ],
)
def test_a_file_arrives_byte_for_byte(
    run_download: Download,
    constellation: Constellation,
    web: AudioServer,
    samples: Samples,
    name: str,
    suffix: str,
) -> None:
    job = run_download(f"{web.url}/{name}")
    done = job.downloaded
    assert done.audio_path.startswith("dj/12345-A1/tone-")
    assert done.audio_path.endswith(f".{suffix}")
    assert done.duration_seconds == pytest.approx(4, abs=0.1)
    assert done.source_url == f"{web.url}/{name}"
    assert constellation.audio_files() == [done.audio_path]
    assert (constellation.audio_dir / done.audio_path).read_bytes() == samples[name][1]


@pytest.mark.parametrize(("name", "suffix"), [("video.mp4", "m4a"), ("tone.webm", "opus")])
def test_only_the_sound_of_a_video_is_kept(
    run_download: Download, constellation: Constellation, web: AudioServer, name: str, suffix: str
) -> None:
    done = run_download(f"{web.url}/{name}").downloaded
    assert done.audio_path.endswith(f".{suffix}")
    assert constellation.audio_files() == [done.audio_path]


def test_the_suffix_follows_the_content_and_not_the_link(
    run_download: Download, web: AudioServer, samples: Samples
) -> None:
    web.files["lie.wav"] = samples["tone.mp3"]
    done = run_download(f"{web.url}/lie.wav").downloaded
    assert done.audio_path.endswith(".mp3")


@pytest.mark.parametrize(
    ("path", "code", "transient"),
    [
        ("status/404.mp3", "source_gone", False),
        ("status/410.mp3", "source_gone", False),
        ("status/403.mp3", "source_forbidden", False),
        ("status/401.mp3", "cookies_expired", False),
        ("status/429.mp3", "rate_limited", True),
        ("status/500.mp3", "source_unavailable", True),
        ("status/503.mp3", "source_unavailable", True),
        ("cut/tone.mp3", "source_unavailable", True),
        ("empty.mp3", "file_empty", False),
        ("text.mp3", "not_audio", False),
        ("list.mp3", "not_audio", False),
        ("silence.mp3", "not_audio", False),
        ("half.flac", "file_unreadable", False),
        ("page.html", "source_unsupported", False),
    ],
)
def test_a_failure_has_its_code_and_leaves_nothing(
    run_download: Download,
    constellation: Constellation,
    web: AudioServer,
    path: str,
    code: str,
    transient: bool,
) -> None:
    failure = run_download(f"{web.url}/{path}").failures[0]
    assert (failure.code, failure.transient) == (code, transient), failure.detail
    assert failure.detail.endswith(".")
    assert constellation.audio_files() == []


def test_an_endless_file_stops_at_the_limit(
    run_download: Download, constellation: Constellation, web: AudioServer
) -> None:
    failure = run_download(f"{web.url}/endless.mp3", MAX_DOWNLOAD_BYTES="3000000").failures[0]
    assert (failure.code, failure.transient) == ("too_large", False)
    assert constellation.audio_files() == []


def test_a_file_announced_as_too_large_is_not_fetched(run_download: Download, web: AudioServer) -> None:
    failure = run_download(f"{web.url}/tone.wav", MAX_DOWNLOAD_BYTES="100000").failures[0]
    assert failure.code == "too_large"


def test_a_download_that_takes_too_long_is_tried_later(run_download: Download, web: AudioServer) -> None:
    failure = run_download(f"{web.url}/slow/tone.wav", DOWNLOAD_TIMEOUT_SECONDS="4").failures[0]
    assert (failure.code, failure.transient) == ("upstream_timeout", True)


def test_a_full_disk_is_said_before_anything_is_fetched(run_download: Download, web: AudioServer) -> None:
    failure = run_download(f"{web.url}/tone.wav", MIN_FREE_BYTES=str(10**18)).failures[0]
    assert (failure.code, failure.transient) == ("disk_full", True)
    assert web.seen == []


def test_private_addresses_are_refused(
    run_download: Download, constellation: Constellation, web: AudioServer
) -> None:
    failure = run_download(f"{web.url}/tone.mp3", ALLOW_PRIVATE_HOSTS="").failures[0]
    assert (failure.code, failure.transient) == ("source_forbidden", False)
    assert web.seen == []
    assert constellation.audio_files() == []


def test_a_redirect_to_a_private_address_is_refused(
    run_download: Download, gateway: FakeGateway, web: AudioServer
) -> None:
    inside = f"{gateway.url}/internal/jobs/d1/claim"
    failure = run_download(f"{web.url}/to?{inside}").failures[0]
    assert (failure.code, failure.transient) == ("source_forbidden", False)
    assert "not a public address" in failure.detail


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/a.mp3", "ytsearch:techno", "no link"])
def test_only_web_links_are_fetched(run_download: Download, url: str) -> None:
    failure = run_download(url).failures[0]
    assert (failure.code, failure.transient) == ("source_forbidden", False)


def test_a_redirect_to_a_file_is_not_followed(
    run_download: Download, constellation: Constellation, web: AudioServer
) -> None:
    failure = run_download(f"{web.url}/to?file:///etc/passwd").failures[0]
    assert not failure.transient or failure.code == "source_unavailable"
    assert constellation.audio_files() == []


def test_a_redirect_between_allowed_places_is_followed(run_download: Download, web: AudioServer) -> None:
    assert run_download(f"{web.url}/to?{web.url}/tone.mp3").completions


def test_the_same_job_again_replaces_its_file(
    run_download: Download, constellation: Constellation, gateway: FakeGateway, web: AudioServer
) -> None:
    first = run_download(f"{web.url}/tone.mp3", "d1").downloaded
    second = run_download(f"{web.url}/tone.mp3", "d2").downloaded
    assert first.audio_path == second.audio_path
    assert constellation.audio_files() == [first.audio_path]


def test_hostile_names_stay_inside(
    run_download: Download, constellation: Constellation, gateway: FakeGateway, web: AudioServer
) -> None:
    job = gateway.add(
        "d1",
        {"kind": "download", "url": f"{web.url}/tone.mp3"},
        username="../../etc",
        track_id=".incoming/../🎵/x",
    )
    constellation.start_worker()
    constellation.enqueue("d1")
    until(lambda: job.completions)
    path = job.downloaded.audio_path
    assert constellation.audio_files() == [path]
    assert (constellation.audio_dir / path).resolve().is_relative_to(constellation.audio_dir.resolve())


def test_a_linked_folder_that_leads_out_is_refused(
    run_download: Download, constellation: Constellation, web: AudioServer, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (constellation.audio_dir / "dj").symlink_to(outside)
    failure = run_download(f"{web.url}/tone.mp3").failures[0]
    assert failure.code == "forbidden"
    assert not [path for path in outside.rglob("*") if path.is_file()]


def test_progress_comes_in_per_cent_and_not_too_often(
    constellation: Constellation, gateway: FakeGateway, web: AudioServer
) -> None:
    job = gateway.add("d1", {"kind": "download", "url": f"{web.url}/slow/tone.wav"})
    constellation.start_worker()
    constellation.enqueue("d1")
    until(lambda: any(10 < (pulse.progress or 0) < 70 for pulse in job.pulses))
    web.gate.set()
    until(lambda: job.state == JobState.COMPLETED)
    gaps = [after - before for before, after in zip(job.pulse_times, job.pulse_times[1:], strict=False)]
    assert {"downloading"} <= {pulse.stage for pulse in job.pulses}
    # The beats are 0.3 s apart here, and word of progress must not add to them.
    assert sorted(gaps)[len(gaps) // 2] > 0.2


def test_cancelling_stops_the_download_and_cleans_up(
    constellation: Constellation, gateway: FakeGateway, web: AudioServer
) -> None:
    gateway.add("d1", {"kind": "download", "url": f"{web.url}/slow/tone.wav"})
    worker = constellation.start_worker()
    constellation.enqueue("d1")
    until(lambda: any((pulse.progress or 0) > 10 for pulse in gateway.jobs["d1"].pulses))
    gateway.cancel("d1")
    until(lambda: not constellation.incoming(), seconds=5)
    until(lambda: constellation.horse_of(worker) is None)
    assert constellation.audio_files() == []
    assert not gateway.jobs["d1"].failures


@pytest.fixture(scope="session")
def long_tone(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Half an hour, so that what is done with it takes longer than it takes to say so."""
    path = tmp_path_factory.mktemp("long") / "tone.flac"
    words = ["-f", "lavfi", "-i", "sine=frequency=440:duration=1800:sample_rate=32000", str(path)]
    subprocess.run([media.find_ffmpeg(), "-v", "error", *words], check=True, timeout=60)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("stage", "wishes"), [("verifying", {}), ("converting to mp3", {"format": "mp3"}), ("complete", {})]
)
def test_cancelling_works_at_every_later_stage_and_leaves_nothing(
    constellation: Constellation,
    gateway: FakeGateway,
    web: AudioServer,
    long_tone: bytes,
    stage: str,
    wishes: dict[str, Any],
) -> None:
    """``complete``: the file has its place already when the gateway refuses the report."""
    web.files["long.flac"] = ("audio/flac", long_tone)
    link = {"kind": "download", "url": f"{web.url}/long.flac", **wishes}
    job = gateway.add("d1", link, cancel_at=stage)
    constellation.start_worker()
    constellation.enqueue("d1")
    until(lambda: '"job_dropped"' in constellation.log(), seconds=90, what=constellation.log()[-3000:])
    assert (job.state, job.completions, job.failures) == (JobState.CANCELLED, [], [])
    until(lambda: not constellation.incoming())
    assert constellation.audio_files() == []


def test_a_download_takes_no_more_of_the_line_than_it_may(
    run_download: Download, web: AudioServer, long_tone: bytes
) -> None:
    limit = 200_000
    web.files["long.flac"] = ("audio/flac", long_tone[: 5 * limit])
    job = run_download(f"{web.url}/long.flac", MAX_BYTES_PER_SECOND=str(limit))
    # The seconds are those at which the gateway heard how many bytes had come.
    heard = [
        (seconds, pulse.bytes_done)
        for seconds, pulse in zip(job.pulse_times, job.pulses, strict=True)
        if pulse.bytes_done and pulse.stage == "downloading"
    ]
    assert len({done for _, done in heard}) >= 4
    (began, first), (ended, last) = heard[0], heard[-1]
    assert (last - first) / (ended - began) < 1.3 * limit
