"""Tags and fingerprints of real files, made by the real ffmpeg."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mutagen
import pytest

from dj_contracts.downloads import AudioFormat, Fingerprint, WantedTrack
from dj_contracts.errors import ErrorCode
from download_worker import media
from download_worker.errors import JobFailed
from download_worker.fingerprint import take_fingerprint
from download_worker.tags import write_tags
from download_worker.testing.tunes import write_tune

WANTED = WantedTrack(
    title="Für Elise", artist="Björk & 東京", album="One", year=1999, genres=["House", "Deep House"]
)
SUFFIXES = ["mp3", "m4a", "flac", "ogg", "opus", "wav", "aiff"]


@pytest.fixture(scope="session")
def tune(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tune(tmp_path_factory.mktemp("tune") / "tune.flac", 5, 20, media.find_ffmpeg())


@pytest.fixture
def attempt() -> Any:
    """One that is wanted to its end."""
    return SimpleNamespace(check=lambda: None)


def encoded(tune: Path, target: Path, attempt: Any, *words: str) -> Path:
    status, said = media.run_ffmpeg(
        media.find_ffmpeg(), ["-i", str(tune), *words, "-y", str(target)], attempt, 60
    )
    assert status == 0, said
    return target


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_tags_are_written_and_the_audio_stays(tune: Path, tmp_path: Path, attempt: Any, suffix: str) -> None:
    path = encoded(tune, tmp_path / f"a.{suffix}", attempt, "-metadata", "comment=mine")
    before = mutagen.File(path).info.length
    assert write_tags(path, WANTED)
    assert [found.name for found in tmp_path.iterdir()] == [path.name]
    written = " ".join(str(value) for value in mutagen.File(path).tags.values())
    for text in ("Für Elise", "Björk & 東京", "One", "1999", "Deep House"):
        assert text in written
    assert mutagen.File(path).info.length == pytest.approx(before, abs=0.05)
    audio = media.verify(path, media.find_ffmpeg(), attempt, timeout_seconds=60)
    assert audio.duration_seconds == pytest.approx(20, abs=0.2)


@pytest.mark.parametrize("suffix", ["mp3", "m4a", "flac"])
def test_what_else_a_file_says_is_left_alone(tune: Path, tmp_path: Path, attempt: Any, suffix: str) -> None:
    path = encoded(tune, tmp_path / f"a.{suffix}", attempt, "-metadata", "comment=mine")
    assert write_tags(path, WantedTrack(title="New"))
    written = " ".join(str(value) for value in mutagen.File(path).tags.values())
    assert "mine" in written
    assert "New" in written


def test_a_file_that_carries_no_tags_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(b"no music")
    assert not write_tags(path, WANTED)
    assert path.read_bytes() == b"no music"
    assert list(tmp_path.iterdir()) == [path]


def taken(path: Path, attempt: Any) -> Fingerprint | None:
    return take_fingerprint(path, 20, media.find_ffmpeg(), attempt, timeout_seconds=60)


def bits_that_differ(one: Fingerprint, other: Fingerprint) -> float:
    pairs = list(zip(one.items, other.items, strict=False))
    return sum((a ^ b).bit_count() for a, b in pairs) / (32 * len(pairs))


@pytest.mark.parametrize(
    ("suffix", "words"),
    [("mp3", ["-b:a", "96k"]), ("opus", ["-b:a", "64k"]), ("m4a", []), ("wav", ["-af", "volume=-12dB"])],
)
def test_a_recording_has_nearly_the_same_fingerprint_in_every_codec(
    tune: Path, tmp_path: Path, attempt: Any, suffix: str, words: list[str]
) -> None:
    one, other = (
        taken(tune, attempt),
        taken(encoded(tune, tmp_path / f"a.{suffix}", attempt, *words), attempt),
    )
    assert one
    assert other
    assert bits_that_differ(one, other) < 0.02


def test_another_recording_has_another(tune: Path, tmp_path: Path, attempt: Any) -> None:
    one = taken(tune, attempt)
    other = taken(write_tune(tmp_path / "b.flac", 6, 20, media.find_ffmpeg()), attempt)
    assert one
    assert other
    assert bits_that_differ(one, other) > 0.3


def test_what_is_too_short_has_none_and_a_copy_has_the_same(tune: Path, tmp_path: Path, attempt: Any) -> None:
    assert taken(encoded(tune, tmp_path / "a.wav", attempt, "-t", "1"), attempt) is None
    copy = shutil.copyfile(tune, tmp_path / "copy.flac")
    assert taken(copy, attempt) == taken(tune, attempt)


def test_what_ffmpeg_writes_has_a_limit(
    tune: Path, tmp_path: Path, attempt: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "_MOST_WRITTEN_BYTES", 100_000)
    source = shutil.copyfile(tune, tmp_path / "a.flac")
    audio = media.Audio("flac", "flac", 20, has_video=False)
    with pytest.raises(JobFailed) as failed:
        media.convert(source, audio, AudioFormat.WAV, media.find_ffmpeg(), attempt, timeout_seconds=60)
    assert failed.value.code == ErrorCode.TOO_LARGE
