"""The worker reads the gateway's examples, and the stand-in gateway of its tests takes its own."""

import json

import pytest

from dj_contracts.examples import read_example
from dj_contracts.jobs import AnalyzePayload, DownloadPayload, JobClaim, JobPulse
from download_worker.testing.fake_gateway import TOKEN, FakeGateway


def test_claims_read_as_the_payload_they_carry() -> None:
    analyze = JobClaim.model_validate(read_example("job-claim-analyze"))
    download = JobClaim.model_validate(read_example("job-claim-download"))
    assert isinstance(analyze.payload, AnalyzePayload)
    assert isinstance(download.payload, DownloadPayload)
    assert JobPulse.model_validate(read_example("job-pulse")).cancelled is False


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("progress", "job-progress"),
        ("complete", "job-completion-analyze"),
        ("complete", "job-completion-download"),
        ("fail", "job-failure"),
    ],
)
def test_the_stand_in_gateway_takes_what_the_real_one_takes(what: str, message: str) -> None:
    gateway = FakeGateway()
    body = read_example(message)
    claim = "job-claim-download" if message.endswith("download") else "job-claim-analyze"
    payload = read_example(claim)["payload"]
    gateway.add("j", payload, attempts=body["attempt"] - 1)
    assert gateway.handle("/internal/jobs/j/claim", f"Bearer {TOKEN}", b"")[0] == 200
    answer = gateway.handle(f"/internal/jobs/j/{what}", f"Bearer {TOKEN}", json.dumps(body).encode())
    assert answer[0] in (200, 204)
