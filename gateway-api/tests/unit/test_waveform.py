"""A waveform cut to points keeps its loudest moments."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dj_servicekit.errors import NotFound
from gateway_api.features.pictures.drawing import draw_waveform, make_small
from gateway_api.features.pictures.waveform import StoredWaveform


def stored(moments: int = 2000, seconds: float = 100.0) -> StoredWaveform:
    detail = bytearray(3 * moments)
    detail[3 * 500] = 255  # a kick at a quarter
    detail[3 * 1500 + 2] = 200  # a cymbal at three quarters
    overview = bytearray(3 * 100)
    overview[3 * 25] = 255
    overview[3 * 75 + 2] = 200
    return StoredWaveform(seconds, bytes(overview), bytes(detail), moments / seconds, "1")


def test_the_overview_serves_the_whole_and_the_detail_a_part() -> None:
    whole = stored().part(0, None, 100)
    assert (whole.bass.index(255), whole.treble.index(200)) == (25, 75)
    fine = stored().part(0, None, 1000)
    assert (fine.bass.index(255), fine.treble.index(200)) == (250, 750)
    part = stored().part(20, 30, 10)
    assert (part.bass, part.start, part.end) == ([0, 0, 0, 0, 0, 255, 0, 0, 0, 0], 20, 30)


@given(st.floats(0, 200), st.floats(0.001, 200), st.integers(1, 3000))
def test_any_part_has_as_many_points_as_were_asked(start: float, end: float, points: int) -> None:
    part = stored().part(start, end, points)
    assert len(part.bass) == len(part.middle) == len(part.treble) == points
    assert 0 <= part.start <= part.end <= 100


def test_no_kick_falls_between_two_points() -> None:
    for points in (1, 3, 7, 64, 999, 3000):
        assert max(stored().part(0, None, points).bass) == 255


def test_the_picture_shows_the_bands_where_they_are() -> None:
    with Image.open(io.BytesIO(draw_waveform(stored().part(0, None, 100), 41))) as picture:
        assert picture.size == (100, 41)
        assert picture.getpixel((25, 0)) == (0x2F, 0x6F, 0xED, 255)
        assert picture.getpixel((50, 0)) == (0, 0, 0, 0)


def test_a_cover_is_made_small_and_never_larger() -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (900, 600), "#ff000080").save(buffer, "PNG")
    for size, wanted in ((300, (300, 200)), (1024, (900, 600))):
        with Image.open(io.BytesIO(make_small(buffer.getvalue(), size))) as small:
            assert (small.size, small.format, small.mode) == (wanted, "JPEG", "RGB")


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"\x00" * 50])
def test_what_is_no_picture_is_said_to_be_none(content: bytes) -> None:
    with pytest.raises(NotFound, match="no picture"):
        make_small(content, 64)


def test_a_picture_that_would_fill_the_memory_is_refused() -> None:
    buffer = io.BytesIO()
    Image.new("1", (10_000, 6_000)).save(buffer, "PNG")
    assert len(buffer.getvalue()) < 20_000
    with pytest.raises(NotFound):
        make_small(buffer.getvalue(), 64)
