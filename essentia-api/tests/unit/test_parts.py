"""Parts of a track, its picture, its moods and its sound."""

import base64

import numpy as np
import pytest
from numpy.typing import NDArray

from dj_contracts.analysis import Part
from essentia_api.decode import SAMPLE_RATE
from essentia_api.measure.bands import hear_bands
from essentia_api.measure.engine import MODELS, analyze
from essentia_api.measure.model import listen
from essentia_api.measure.sections import find_cues, find_sections
from essentia_api.measure.waveform import draw
from essentia_api.testing import house_loop

BAR = 4 * 60 / 124


def without_bass(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE) < 250] = 0
    return np.fft.irfft(spectrum, len(samples)).astype(np.float32)


@pytest.fixture(scope="module")
def arranged() -> NDArray[np.float32]:
    """Sixteen bars of intro, sixteen in full, eight without bass, eight that rise, a drop, an outro."""
    full = house_loop(seconds=80 * BAR)
    thin = without_bass(full)
    bar = np.arange(len(full)) / SAMPLE_RATE / BAR
    out = full.copy()
    for first, last, levels in (
        (0, 16, (0.4, 0.4)),
        (32, 40, (0.2, 0.2)),
        (40, 48, (0.3, 1.0)),
        (64, 81, (0.4, 0.4)),
    ):
        inside = (bar >= first) & (bar < last)
        out[inside] = thin[inside] * np.linspace(*levels, int(inside.sum()))
    return out


def test_parts_begin_where_the_arrangement_changes_and_are_called_what_they_are(
    arranged: NDArray[np.float32],
) -> None:
    downbeats = [round(bar * BAR, 4) for bar in range(80)]
    sections = find_sections(hear_bands(arranged), downbeats, len(arranged) / SAMPLE_RATE)
    labels = [section.label for section in sections]
    assert labels == ["intro", "drop", "breakdown", "build", "drop", "outro"]
    starts = [round(section.start / BAR) for section in sections]
    assert starts == pytest.approx([0, 16, 32, 40, 48, 64], abs=1)
    assert {section.start for section in sections} <= set(downbeats)
    cues = find_cues(sections, downbeats)
    assert [cue.kind for cue in cues] == ["mix_in", "drop", "drop", "mix_out"]
    assert {cue.time for cue in cues} <= set(downbeats)


def test_parts_of_a_track_without_beats_have_times_but_no_cues(arranged: NDArray[np.float32]) -> None:
    sections = find_sections(hear_bands(arranged), [], len(arranged) / SAMPLE_RATE)
    starts = [section.start / BAR for section in sections]
    assert starts == pytest.approx([0, 16, 32, 40, 48, 64], abs=1.5)
    assert find_cues(sections, []) == []


def test_a_part_that_is_only_a_little_thinner_is_a_part() -> None:
    loop = house_loop(seconds=48 * BAR)
    thinner = np.arange(len(loop)) / SAMPLE_RATE / BAR % 48 >= 24
    loop[thinner] = 0.8 * loop[thinner]
    downbeats = [bar * BAR for bar in range(48)]
    parts = find_sections(hear_bands(loop), downbeats, 48 * BAR)
    assert [round(part.start / BAR) for part in parts] == [0, 24]
    assert (parts[0].energy or 0) > (parts[1].energy or 0)


@pytest.mark.parametrize(("bars", "left"), [(20, 5), (40, 10), (120, 16)])
def test_a_track_without_an_outro_is_left_in_its_last_quarter_or_sixteen_bars(bars: int, left: int) -> None:
    downbeats = [bar * BAR for bar in range(bars)]
    sections = find_sections(hear_bands(house_loop(seconds=bars * BAR)), downbeats, bars * BAR)
    assert find_cues(sections, downbeats)[-1].model_dump() == {
        "kind": "mix_out", "time": downbeats[bars - left],
    }  # fmt: skip


def test_a_loop_that_never_changes_is_one_part() -> None:
    loop = house_loop(seconds=40 * BAR)
    sections = find_sections(hear_bands(loop), [bar * BAR for bar in range(40)], 40 * BAR)
    assert [section.label for section in sections] == ["main"]


def test_a_waveform_shows_where_the_bass_is_gone(arranged: NDArray[np.float32]) -> None:
    waveform = draw(hear_bands(arranged))
    assert waveform is not None
    overview = np.frombuffer(base64.b64decode(waveform.overview), dtype=np.uint8).reshape(-1, 3)
    detail = np.frombuffer(base64.b64decode(waveform.detail), dtype=np.uint8).reshape(-1, 3)
    assert len(overview) == waveform.points
    seconds = len(arranged) / SAMPLE_RATE
    assert len(detail) == pytest.approx(seconds * waveform.detail_per_second, abs=1)
    bass = overview[:, 0]
    assert overview.max() == 255
    assert bass[420:580].mean() < 0.3 * bass[220:380].mean()


@pytest.mark.parametrize("seconds", [0.2, 0.05, 0.01])
def test_a_moment_of_sound_has_a_picture_or_none(seconds: float) -> None:
    waveform = draw(hear_bands(np.ones(int(seconds * SAMPLE_RATE), dtype=np.float32)))
    assert (waveform is None) == (seconds < 0.05)


def test_moods_are_computed_and_do_not_depend_on_the_level_of_the_file() -> None:
    loop = house_loop(seconds=20)
    loud, quiet = (analyze([loop * np.float32(level)]) for level in (1.0, 0.01))
    assert loud.moods == quiet.moods
    assert {"happy", "sad", "aggressive", "relaxed", "acoustic", "instrumental"} <= set(loud.moods)
    assert all(0 <= value <= 1 for value in loud.moods.values())
    clock = np.arange(20 * SAMPLE_RATE) / SAMPLE_RATE
    chord = np.sum([np.sin(2 * np.pi * hertz * clock) for hertz in (220, 261.6, 329.6)], axis=0)
    pad = analyze([(0.2 * chord * np.sin(np.pi * clock / 20)).astype(np.float32)])
    assert pad.moods["relaxed"] != loud.moods["relaxed"]
    assert (pad.danceability or 0) < (loud.danceability or 0)


def test_tracks_that_sound_alike_have_near_embeddings() -> None:
    def sound(samples: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.array(listen(samples * np.float32(0.5)).embedding.vector)

    house, same_crate, other = house_loop(seconds=15), house_loop(seconds=15, tonic=2, bpm=126), None
    rng = np.random.default_rng(1)
    other = rng.standard_normal(15 * SAMPLE_RATE).astype(np.float32) * np.float32(0.1)
    assert len(sound(house)) == 256
    assert np.linalg.norm(sound(house)) == pytest.approx(1, abs=1e-3)
    assert sound(house) @ sound(same_crate) > sound(house) @ sound(other) + 0.1


def test_only_what_is_wanted_is_measured_and_named() -> None:
    result = analyze([house_loop(seconds=12)], frozenset({Part.KEY}))
    assert result.key.name == "A minor"
    assert result.tempo.bpm is None
    assert result.waveform is None
    assert result.embedding is None
    assert result.models == {"key": MODELS[Part.KEY]}
