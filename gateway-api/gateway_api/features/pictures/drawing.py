"""Pictures: a waveform drawn, a cover made small. Pillow's work, for threads."""

import io

from PIL import Image, ImageDraw, UnidentifiedImageError

from dj_contracts.analysis import BAND_COLOURS
from dj_contracts.errors import ErrorCode
from dj_servicekit.errors import NotFound
from gateway_api.features.pictures.waveform import WaveformPart

# A picture of this many pixels takes 200 MB unpacked: nobody's cover, and somebody's attack.
_MOST_PIXELS = 50_000_000
_QUALITY = 85


def draw_waveform(part: WaveformPart, height: int) -> bytes:
    picture = Image.new("RGBA", (part.points, height), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    middle = (height - 1) / 2
    for band, colour in BAND_COLOURS.items():
        for x, level in enumerate(getattr(part, band)):
            reach = middle * level / 255
            draw.line([(x, round(middle - reach)), (x, round(middle + reach))], fill=colour)
    return _written(picture, "PNG", optimize=False)


def make_small(content: bytes, size: int) -> bytes:
    """A cover as a JPEG that fits into a square of so many pixels; one that is smaller stays as it is."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                raise _unusable()
            picture.draft("RGB", (size, size))
            small = picture.convert("RGB")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as exc:
        raise _unusable() from exc
    small.thumbnail((size, size), Image.Resampling.LANCZOS)
    return _written(small, "JPEG", quality=_QUALITY, optimize=True)


def _written(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def _unusable() -> NotFound:
    return NotFound("The cover is no picture that can be read.", code=ErrorCode.FILE_UNREADABLE)
