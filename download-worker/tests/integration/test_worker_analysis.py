"""Analysis jobs through real RQ, Valkey and a real worker process."""

import json
from pathlib import Path
from urllib.parse import urlencode

from dj_contracts.jobs import AnalysisDone, JobState
from download_worker import media
from download_worker.testing.constellation import Constellation, until
from download_worker.testing.fake_essentia import RESULT, FakeEssentia
from download_worker.testing.fake_gateway import FakeGateway, fake_gateway
from download_worker.testing.tunes import write_tune

PAYLOAD = {"kind": "analyze", "audio_path": "dj/a b/träck.mp3"}


def test_a_result_reaches_the_gateway(
    constellation: Constellation, gateway: FakeGateway, essentia: FakeEssentia
) -> None:
    job = gateway.add("j1", PAYLOAD)
    constellation.start_worker()
    constellation.enqueue("j1")
    until(lambda: job.state == JobState.COMPLETED)
    assert job.completions[0].outcome == AnalysisDone(analysis=RESULT)
    assert job.completions[0].attempt == 1
    assert essentia.asked == [{"filename": "dj/a b/träck.mp3"}]


def test_the_id_of_the_request_goes_along_to_every_service_and_log(
    constellation: Constellation, gateway: FakeGateway, essentia: FakeEssentia
) -> None:
    job = gateway.add("j1", PAYLOAD, request_id="asked-for-by-ana")
    constellation.start_worker()
    constellation.enqueue("j1")
    until(lambda: job.state == JobState.COMPLETED)
    assert essentia.request_ids == ["asked-for-by-ana"]
    assert dict(gateway.request_ids)["/internal/jobs/j1/complete"] == "asked-for-by-ana"
    until(lambda: '"job_done"' in constellation.log())
    done = next(line for line in constellation.log().splitlines() if '"job_done"' in line)
    assert json.loads(done)["request_id"] == "asked-for-by-ana"


def test_a_crash_of_the_work_horse_is_logged_once_and_the_worker_goes_on(
    constellation: Constellation, gateway: FakeGateway, essentia: FakeEssentia
) -> None:
    """A gateway that does not understand its worker is a fault of ours, and kills the work horse."""
    gateway.add("j1", PAYLOAD)
    gateway.broken_answers.append(422)
    after = gateway.add("j2", PAYLOAD)
    worker = constellation.start_worker()
    for job_id in ("j1", "j2"):
        constellation.enqueue(job_id)
    until(lambda: after.state == JobState.COMPLETED)
    assert worker.poll() is None
    crashes = [line for line in constellation.log().splitlines() if '"work_horse_crashed"' in line]
    assert [json.loads(line)["job_id"] for line in crashes] == ["j1"]


def test_a_refusal_is_passed_on_as_permanent(
    constellation: Constellation, gateway: FakeGateway, essentia: FakeEssentia
) -> None:
    job = gateway.add("j1", PAYLOAD)
    essentia.refuse(415, "not_audio", "This is a text file. Replace it.")
    constellation.start_worker()
    constellation.enqueue("j1")
    until(lambda: job.state == JobState.FAILED)
    failure = job.failures[0]
    assert (failure.code, failure.detail) == ("not_audio", "This is a text file. Replace it.")


def test_a_crash_of_the_analysis_is_transient(
    constellation: Constellation, gateway: FakeGateway, essentia: FakeEssentia
) -> None:
    job = gateway.add("j1", PAYLOAD)
    essentia.refuse(500, "analysis_crashed", "The analyser crashed on this file.")
    constellation.start_worker()
    constellation.enqueue("j1")
    until(lambda: job.failures)
    assert job.failures[0].transient
    assert job.failures[0].code == "analysis_crashed"


def test_a_busy_service_is_waited_for(
    constellation: Constellation, gateway: FakeGateway, essentia: FakeEssentia
) -> None:
    job = gateway.add("j1", PAYLOAD)
    essentia.refuse(503, "busy", "The queue is full.", **{"Retry-After": "1"})
    constellation.start_worker()
    constellation.enqueue("j1")
    until(lambda: job.state == JobState.COMPLETED)
    assert not job.failures
    assert "waiting for the analysis service" in [pulse.stage for pulse in job.pulses]


def test_a_service_that_is_away_for_long_fails_the_attempt_as_transient(
    constellation: Constellation, gateway: FakeGateway
) -> None:
    job = gateway.add("j1", PAYLOAD)
    constellation.start_worker(ESSENTIA_URL="http://127.0.0.1:9", ESSENTIA_PATIENCE_SECONDS="1")
    constellation.enqueue("j1")
    until(lambda: job.failures)
    assert job.failures[0].transient
    assert job.failures[0].code == "upstream_unavailable"


def test_heartbeats_go_on_while_the_analysis_takes_its_time(
    constellation: Constellation, gateway: FakeGateway, essentia: FakeEssentia
) -> None:
    essentia.gate.clear()
    job = gateway.add("j1", PAYLOAD)
    constellation.start_worker()
    constellation.enqueue("j1")
    until(lambda: len(job.pulses) >= 4)
    essentia.gate.set()
    until(lambda: job.state == JobState.COMPLETED)


def test_a_cancelled_job_ends_without_waiting_for_the_analysis(
    constellation: Constellation, gateway: FakeGateway, essentia: FakeEssentia
) -> None:
    essentia.gate.clear()
    gateway.add("j1", PAYLOAD)
    after = gateway.add("j2", PAYLOAD)
    constellation.start_worker()
    constellation.enqueue("j1")
    constellation.enqueue("j2")
    until(lambda: essentia.asked)
    gateway.cancel("j1")
    until(lambda: len(essentia.asked) == 2)
    essentia.gate.set()
    until(lambda: after.state == JobState.COMPLETED)
    assert not gateway.jobs["j1"].completions
    assert not gateway.jobs["j1"].failures


def test_an_attempt_that_was_given_up_says_nothing_more(
    constellation: Constellation, gateway: FakeGateway, essentia: FakeEssentia
) -> None:
    essentia.gate.clear()
    job = gateway.add("j1", PAYLOAD)
    constellation.start_worker(HEARTBEAT_SECONDS="10")
    constellation.enqueue("j1")
    until(lambda: essentia.asked)
    with gateway.lock:
        job.attempts = 2
    essentia.gate.set()
    until(lambda: ("j1", "complete") in gateway.refused)
    assert not job.completions
    assert not job.failures


def test_a_job_that_is_not_waiting_is_dropped_quietly(
    constellation: Constellation, gateway: FakeGateway, essentia: FakeEssentia
) -> None:
    gateway.add("j1", PAYLOAD, state=JobState.CANCELLED)
    after = gateway.add("j2", PAYLOAD)
    constellation.start_worker()
    for job_id in ("j1", "unknown", "j2"):
        constellation.enqueue(job_id)
    until(lambda: after.state == JobState.COMPLETED)
    assert len(essentia.asked) == 1


def test_a_gateway_in_trouble_is_tried_again(constellation: Constellation, gateway: FakeGateway) -> None:
    job = gateway.add("j1", PAYLOAD)
    gateway.broken_answers += [503, 502]
    constellation.start_worker()
    constellation.enqueue("j1")
    until(lambda: job.state == JobState.COMPLETED)


def test_a_job_waits_for_a_gateway_that_is_away(constellation: Constellation, essentia: FakeEssentia) -> None:
    with fake_gateway() as gateway:
        job = gateway.add("j1", PAYLOAD)
    port = int(gateway.url.rpartition(":")[2])
    constellation.start_worker(GATEWAY_URL=gateway.url, CLAIM_PATIENCE_SECONDS="0.5")
    constellation.enqueue("j1")
    until(lambda: constellation.log().count("job_waits_for_gateway") >= 2)
    with fake_gateway(port, gateway):
        until(lambda: job.state == JobState.COMPLETED)
    assert job.attempts == 1


def test_a_result_waits_for_a_gateway_that_goes_away_in_the_middle(
    constellation: Constellation, essentia: FakeEssentia
) -> None:
    essentia.gate.clear()
    with fake_gateway() as gateway:
        job = gateway.add("j1", PAYLOAD)
        constellation.start_worker(GATEWAY_URL=gateway.url)
        constellation.enqueue("j1")
        until(lambda: essentia.asked)
    essentia.gate.set()
    until(lambda: "heartbeat_missed" in constellation.log())
    with fake_gateway(int(gateway.url.rpartition(":")[2]), gateway):
        until(lambda: job.state == JobState.COMPLETED)
    assert job.attempts == 1


def test_a_file_in_a_bucket_gets_its_fingerprint_too(
    constellation: Constellation, gateway: FakeGateway, essentia: FakeEssentia, tmp_path: Path
) -> None:
    """The gateway names such a file by a URL of its own, and sends it to the worker."""
    path = "dj/uploads/tune & more.flac"
    gateway.audio[path] = write_tune(tmp_path / "tune.flac", 5, 20, media.find_ffmpeg()).read_bytes()
    query = urlencode({"username": "dj", "filename": path})
    job = gateway.add("j1", {"kind": "analyze", "audio_path": f"{gateway.url}/api/audio?{query}"})
    constellation.start_worker()
    constellation.enqueue("j1")
    until(lambda: job.state == JobState.COMPLETED)
    outcome = job.completions[0].outcome
    assert isinstance(outcome, AnalysisDone)
    assert outcome.fingerprint
    until(lambda: not constellation.incoming())
    assert constellation.audio_files() == []


def test_a_disk_that_takes_no_copy_costs_the_fingerprint_and_not_the_analysis(
    constellation: Constellation, gateway: FakeGateway, essentia: FakeEssentia
) -> None:
    (constellation.audio_dir / ".incoming").write_text("No folder can be made here.")
    query = urlencode({"username": "dj", "filename": "dj/a.mp3"})
    job = gateway.add("j1", {"kind": "analyze", "audio_path": f"{gateway.url}/api/audio?{query}"})
    constellation.start_worker()
    constellation.enqueue("j1")
    until(lambda: job.completions, what=constellation.log())
    assert job.completions[0].outcome == AnalysisDone(analysis=RESULT)
    assert "no_fingerprint" in constellation.log()
