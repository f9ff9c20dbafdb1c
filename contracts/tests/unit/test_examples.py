"""Every example file is a complete message: it reads, and writes back as it stands."""

import json

import pytest
from pydantic import BaseModel

from dj_contracts.analysis import AnalysisAnswer
from dj_contracts.downloads import FingerprintAnswer, FingerprintQuestion
from dj_contracts.errors import ErrorBody
from dj_contracts.examples import EXAMPLES, read_example
from dj_contracts.jobs import Job, JobClaim, JobCompletion, JobEvent, JobFailure, JobProgress, JobPulse
from dj_contracts.pushes import PushRegistration, PushState
from dj_contracts.set_building import (
    BuildRequest,
    NextRequest,
    NextResult,
    PathRequest,
    PathResult,
    ScoreRequest,
    ScoreResult,
    SetResult,
)
from dj_contracts.sets import OrderRequest, OrderResult
from dj_contracts.tracks import SearchHits, Track
from dj_contracts.workers import WorkerReport

MODELS: dict[str, type[BaseModel]] = {
    "analysis-answer": AnalysisAnswer,
    "build-request": BuildRequest,
    "build-result": SetResult,
    "error": ErrorBody,
    "fingerprint-answer": FingerprintAnswer,
    "fingerprint-question": FingerprintQuestion,
    "job": Job,
    "job-claim-analyze": JobClaim,
    "job-claim-download": JobClaim,
    "job-claim-download-search": JobClaim,
    "job-claim-extract-cover-art": JobClaim,
    "job-claim-fix-duration": JobClaim,
    "job-completion-analyze": JobCompletion,
    "job-completion-download": JobCompletion,
    "job-completion-download-whole": JobCompletion,
    "job-completion-extract-cover-art": JobCompletion,
    "job-completion-fix-duration": JobCompletion,
    "job-event": JobEvent,
    "job-failure": JobFailure,
    "job-failure-review": JobFailure,
    "job-progress": JobProgress,
    "job-progress-download": JobProgress,
    "job-pulse": JobPulse,
    "next-request": NextRequest,
    "next-result": NextResult,
    "order-request": OrderRequest,
    "order-result": OrderResult,
    "path-request": PathRequest,
    "path-result": PathResult,
    "push-registration": PushRegistration,
    "push-state": PushState,
    "score-request": ScoreRequest,
    "score-result": ScoreResult,
    "search-hits": SearchHits,
    "track": Track,
    "worker-report": WorkerReport,
}


def test_every_example_has_its_model() -> None:
    found = {path.stem for path in EXAMPLES.glob("*.json")}
    assert set(MODELS) <= found


@pytest.mark.parametrize("name", MODELS)
def test_an_example_is_whole(name: str) -> None:
    example = read_example(name)
    model = MODELS[name].model_validate(example)
    written = json.loads(model.model_dump_json(exclude_unset=True))
    assert written == example | ({"error": example["detail"]} if name == "error" else {})
