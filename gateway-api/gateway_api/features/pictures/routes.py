"""/api/tracks/{id}/waveform, /waveform.png and /cover."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from dj_servicekit.http import error_answers
from gateway_api.dependencies import Gateway, Owner, TrackIDPath
from gateway_api.features.audio.streaming import ContentResponse
from gateway_api.features.pictures import usecases
from gateway_api.features.pictures.waveform import WaveformPart

router = APIRouter(prefix="/api/tracks", tags=["audio"])

Start = Annotated[float, Query(ge=0, le=1e6, allow_inf_nan=False, description="From this second on.")]
End = Annotated[
    float | None, Query(gt=0, le=1e6, allow_inf_nan=False, description="To this second; the track's end.")
]
Version = Annotated[
    str | None, Query(alias="v", max_length=200, description="The ETag without its quotes: kept for ever.")
]


def _picture(kind: str) -> dict[int | str, dict[str, Any]]:
    return {
        200: {"content": {kind: {}}, "description": "The picture."},
        206: {"content": {kind: {}}, "description": "A part of it."},
        304: {"description": "The caller has this version."},
        **error_answers(403, 404, 412, 416, 422),
    }


@router.get("/{track_id}/waveform", responses=error_answers(404, 422))
async def get_waveform(
    gateway: Gateway,
    owner: Owner,
    track_id: TrackIDPath,
    start: Start = 0,
    end: End = None,
    points: Annotated[int, Query(ge=1, le=4000)] = 1000,
) -> WaveformPart:
    """Heights to draw, of the whole track or of a part of it."""
    return await usecases.get_waveform(owner, track_id, gateway, start=start, end=end, points=points)


@router.get("/{track_id}/waveform.png", response_class=Response, responses=_picture("image/png"))
async def draw_waveform(
    gateway: Gateway,
    owner: Owner,
    track_id: TrackIDPath,
    start: Start = 0,
    end: End = None,
    width: Annotated[int, Query(ge=16, le=4000)] = 1000,
    height: Annotated[int, Query(ge=8, le=1000)] = 120,
    version: Version = None,
) -> Response:
    """The same as a picture: bass blue, middle orange, treble bright, on a transparent ground."""
    picture = await usecases.draw(owner, track_id, gateway, start=start, end=end, width=width, height=height)
    return ContentResponse(picture, "image/png", version)


@router.head("/{track_id}/cover", include_in_schema=False)
@router.get("/{track_id}/cover", response_class=Response, responses=_picture("image/jpeg"))
async def get_cover(
    gateway: Gateway,
    owner: Owner,
    track_id: TrackIDPath,
    size: Annotated[
        Literal["64", "128", "256", "512", "1024"], Query(description="Pixels of the longer side.")
    ] = "512",
    version: Version = None,
) -> Response:
    """The cover that was taken out of the file, as a JPEG."""
    return ContentResponse(
        await usecases.open_cover(owner, track_id, int(size), gateway), "image/jpeg", version
    )
