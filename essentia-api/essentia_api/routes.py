"""The HTTP surface: one question, ``POST /analyze``."""

from typing import Any

from fastapi import APIRouter, Request

from dj_contracts.analysis import AnalysisAnswer
from dj_servicekit.http import error_answers
from essentia_api.measure.engine import analyze_file
from essentia_api.requests import REQUEST_BODY, AudioToAnalyze

router = APIRouter()


@router.post(
    "/analyze",
    summary="Measure one file",
    response_model=AnalysisAnswer,
    responses=error_answers(400, 403, 404, 413, 415, 422, 502, 503, 504),
    openapi_extra={"requestBody": REQUEST_BODY},
)
def analyze(audio: AudioToAnalyze, request: Request) -> Any:
    """Tempo, key, beats, energy, loudness and the rest; null where there is nothing to measure.

    Sync on purpose: the thread waits for a pool process while the event loop stays free.
    """
    limit = request.app.state.settings.max_duration_seconds
    return request.app.state.pool.run(analyze_file, str(audio.path), limit, audio.parts)
