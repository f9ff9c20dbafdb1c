"""The HTTP surface: ``POST /analyze``, the same sound as a picture, and what the service says of itself."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from dj_contracts.analysis import AnalysisAnswer, Part
from dj_servicekit.http import error_answers
from essentia_api.measure.engine import analyze_file
from essentia_api.models import ModelsAnswer, list_models
from essentia_api.picture import picture
from essentia_api.requests import REQUEST_BODY, AudioToAnalyze

router = APIRouter()

_REFUSALS = error_answers(400, 403, 404, 408, 413, 415, 422, 502, 503, 504)
_PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}, "description": "The picture."}}


@router.post(
    "/analyze",
    summary="Measure one file",
    response_model=AnalysisAnswer,
    responses=_REFUSALS,
    openapi_extra={"requestBody": REQUEST_BODY},
)
def analyze(audio: AudioToAnalyze, request: Request) -> Any:
    """Tempo, key, beats, energy, loudness and the rest; null where there is nothing to measure.

    Sync on purpose: the thread waits for a pool process while the event loop stays free.
    """
    settings = request.app.state.settings
    limit = settings.max_duration_seconds
    answer = request.app.state.pool.run(
        analyze_file, str(audio.path), limit, audio.parts, settings.models_dir, given_up=audio.given_up
    )
    request.app.state.metrics.audio_seconds.inc(answer.duration_seconds)
    return answer


@router.post(
    "/waveform.png",
    summary="Draw one file",
    response_class=Response,
    responses={**_PNG, **_REFUSALS},
    openapi_extra={"requestBody": REQUEST_BODY},
)
def draw(
    audio: AudioToAnalyze,
    request: Request,
    width: Annotated[int, Query(ge=16, le=8000)] = 1200,
    height: Annotated[int, Query(ge=16, le=2000)] = 160,
) -> Response:
    """Bass, middle and treble over one another on a transparent ground. ``want`` is not looked at."""
    limit = request.app.state.settings.max_duration_seconds
    answer = request.app.state.pool.run(
        analyze_file, str(audio.path), limit, frozenset({Part.WAVEFORM}), given_up=audio.given_up
    )
    return Response(picture(answer.waveform, width=width, height=height), media_type="image/png")


@router.get("/models", summary="What gives each part of an answer")
def models(request: Request) -> ModelsAnswer:
    return list_models(request.app.state.settings.models_dir)


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    return Response(generate_latest(request.app.state.metrics.registry), media_type=CONTENT_TYPE_LATEST)
