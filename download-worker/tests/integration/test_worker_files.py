"""Jobs on the files that tracks have: the length by playing, the cover out of the tags."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dj_contracts.jobs import CoverArtDone, DurationDone, JobKind, JobState
from download_worker import media
from download_worker.testing.constellation import Constellation, until
from download_worker.testing.fake_gateway import FakeGateway, FakeJob

Samples = dict[str, tuple[str, bytes]]
Run = Callable[..., FakeJob]


@pytest.fixture
def run_job(constellation: Constellation, gateway: FakeGateway) -> Run:
    def run(payload: dict[str, Any], job_id: str = "f1", **environment: str) -> FakeJob:
        job = gateway.add(job_id, payload)
        constellation.start_worker(**environment)
        constellation.enqueue(job_id)
        until(lambda: job.state in (JobState.COMPLETED, JobState.FAILED), what=constellation.log())
        until(lambda: not constellation.incoming())
        return job

    return run


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A red JPEG and a blue PNG."""
    folder = tmp_path_factory.mktemp("pictures")
    made = {"red": folder / "red.jpg", "blue": folder / "blue.png"}
    for colour, path in made.items():
        words = ["-f", "lavfi", "-i", f"color=c={colour}:s=32x32", "-frames:v", "1", str(path)]
        subprocess.run([media.find_ffmpeg(), "-v", "error", *words], check=True, timeout=60)
    return made


def with_cover(audio: Path, picture: Path) -> None:
    """Put in by ffmpeg, so that what reads it here is not what wrote it."""
    target = audio.with_name(f"covered{audio.suffix}")
    words = ["-i", str(audio), "-i", str(picture), "-map", "0:a", "-map", "1:v", "-c", "copy"]
    words += ["-disposition:v:0", "attached_pic", "-metadata:s:v", "comment=Cover (front)", str(target)]
    subprocess.run([media.find_ffmpeg(), "-v", "error", *words], check=True, timeout=60)
    target.replace(audio)


def put(constellation: Constellation, samples: Samples, name: str) -> Path:
    folder = constellation.audio_dir / "dj" / "12345-A1"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(samples[name][1])
    return path


def test_the_length_is_what_plays(run_job: Run, constellation: Constellation, samples: Samples) -> None:
    put(constellation, samples, "tone.mp3")
    done = run_job({"kind": "fix-duration", "audio_path": "dj/12345-A1/tone.mp3"}).completions[0].outcome
    assert isinstance(done, DurationDone)
    assert done.duration_seconds == pytest.approx(4, abs=0.1)


def test_a_file_that_lies_in_no_folder_of_the_worker_comes_from_the_gateway(
    run_job: Run,
    constellation: Constellation,
    gateway: FakeGateway,
    samples: Samples,
    pictures: dict[str, Path],
) -> None:
    local = put(constellation, samples, "tone.mp3")
    with_cover(local, pictures["red"])
    path = "dj/uploads/in the bucket & elsewhere.mp3"
    gateway.audio[path] = local.read_bytes()
    local.unlink()
    length = run_job({"kind": "fix-duration", "audio_path": path}).completions[0].outcome
    assert isinstance(length, DurationDone)
    assert length.duration_seconds == pytest.approx(4, abs=0.1)
    cover = run_job({"kind": "extract-cover-art", "audio_paths": [path]}, "f2").completions[0].outcome
    assert isinstance(cover, CoverArtDone)
    assert constellation.audio_files() == [cover.cover_path]


@pytest.mark.parametrize(
    ("audio_path", "code"),
    [
        ("dj/12345-A1/text.mp3", "file_unreadable"),
        ("dj/gone.mp3", "file_missing"),
        ("/etc/passwd", "file_missing"),
    ],
)
def test_a_file_that_cannot_be_measured_fails_for_good(
    run_job: Run, constellation: Constellation, samples: Samples, audio_path: str, code: str
) -> None:
    put(constellation, samples, "text.mp3")
    failure = run_job({"kind": "fix-duration", "audio_path": audio_path}).failures[0]
    assert (failure.code, failure.transient) == (code, False)


@pytest.mark.parametrize(
    ("name", "colour"),
    [("tone.mp3", "red"), ("tone.flac", "blue"), ("tone.m4a", "red"), ("tone.mp3", "blue")],
)
def test_the_cover_of_a_file_is_kept_beside_it(
    run_job: Run,
    constellation: Constellation,
    samples: Samples,
    pictures: dict[str, Path],
    name: str,
    colour: str,
) -> None:
    with_cover(put(constellation, samples, name), pictures[colour])
    job = run_job({"kind": "extract-cover-art", "audio_paths": [f"dj/12345-A1/{name}"]})
    done = job.completions[0].outcome
    assert isinstance(done, CoverArtDone)
    assert done.cover_path == f"dj/12345-A1/cover{pictures[colour].suffix}"
    assert (constellation.audio_dir / done.cover_path).read_bytes() == pictures[colour].read_bytes()


def test_an_album_takes_the_first_cover_there_is_and_a_new_one_replaces_it(
    run_job: Run, constellation: Constellation, samples: Samples, pictures: dict[str, Path]
) -> None:
    put(constellation, samples, "tone.wav")
    flac = put(constellation, samples, "tone.flac")
    paths = ["dj/12345-A1/tone.wav", "dj/12345-A1/tone.flac"]
    payload = {"kind": "extract-cover-art-album", "audio_paths": paths}
    plain = flac.with_name("plain.flac")
    shutil.copyfile(flac, plain)
    for number, colour in enumerate(("red", "blue")):
        shutil.copyfile(plain, flac)
        with_cover(flac, pictures[colour])
        job = run_job(payload, f"f{number}")
        assert job.completions[0].outcome.kind == JobKind.ALBUM_COVER_ART
    until(lambda: not (flac.parent / "cover.jpg").exists())
    assert (flac.parent / "cover.png").read_bytes() == pictures["blue"].read_bytes()


def test_a_file_without_a_cover_says_so(run_job: Run, constellation: Constellation, samples: Samples) -> None:
    put(constellation, samples, "tone.mp3")
    failure = run_job({"kind": "extract-cover-art", "audio_paths": ["dj/12345-A1/tone.mp3"]}).failures[0]
    assert (failure.code, failure.transient) == ("not_found", False)
    assert constellation.audio_files() == ["dj/12345-A1/tone.mp3"]


COPIED = {"kind": "fix-duration", "audio_path": "dj/in the bucket.mp3"}


@pytest.mark.parametrize(
    ("status", "patience", "code"),
    [(503, "1", "upstream_unavailable"), (401, "600", "upstream_failed"), (422, "600", "upstream_failed")],
)
def test_a_copy_that_the_gateway_does_not_send_is_reported(
    constellation: Constellation, gateway: FakeGateway, status: int, patience: str, code: str
) -> None:
    gateway.audio_status = status
    job = gateway.add("f1", COPIED)
    constellation.start_worker(REPORT_PATIENCE_SECONDS=patience)
    constellation.enqueue("f1")
    until(lambda: job.failures, what=constellation.log())
    assert (job.failures[0].code, job.failures[0].transient) == (code, True)


def test_a_job_that_waits_for_its_copy_can_be_cancelled(
    constellation: Constellation, gateway: FakeGateway
) -> None:
    gateway.audio_status = 503
    gateway.add("f1", COPIED)
    constellation.start_worker()
    constellation.enqueue("f1")
    until(lambda: gateway.audio_asked)
    gateway.cancel("f1")
    until(lambda: '"job_dropped"' in constellation.log())


def test_a_copy_is_not_fetched_onto_a_full_disk(constellation: Constellation, gateway: FakeGateway) -> None:
    job = gateway.add("f1", COPIED)
    constellation.start_worker(MIN_FREE_BYTES=str(10**18))
    constellation.enqueue("f1")
    until(lambda: job.failures, what=constellation.log())
    assert (job.failures[0].code, job.failures[0].transient) == ("disk_full", True)
    assert not gateway.audio_asked
