"""Workers, work horses and Valkey that are killed, and what is left afterwards."""

import signal
import subprocess
from functools import partial
from pathlib import Path

import pytest

from dj_contracts.jobs import JobState
from download_worker.testing.audio_server import AudioServer
from download_worker.testing.constellation import Constellation, any_runs, family_of, kill, until
from download_worker.testing.fake_essentia import FakeEssentia
from download_worker.testing.fake_gateway import FakeGateway, FakeJob, fake_gateway
from standalone import processes, valkey
from standalone.ports import free_ports

ANALYZE = {"kind": "analyze", "audio_path": "a.mp3"}
Stuck = tuple[FakeJob, "subprocess.Popen[bytes]"]


@pytest.fixture
def stuck_download(constellation: Constellation, gateway: FakeGateway, web: AudioServer) -> Stuck:
    """A worker with a download that has half its file."""
    job = gateway.add("d1", {"kind": "download", "url": f"{web.url}/slow/tone.wav"})
    worker = constellation.start_worker()
    constellation.enqueue("d1")
    until(lambda: any((pulse.progress or 0) > 10 for pulse in job.pulses))
    return job, worker


def test_a_killed_work_horse_leaves_nothing_and_the_job_is_done_again(
    stuck_download: Stuck, constellation: Constellation, gateway: FakeGateway, web: AudioServer
) -> None:
    job, worker = stuck_download
    horse = constellation.horse_of(worker)
    assert horse
    family = family_of(horse)
    kill(horse)
    until(lambda: not any_runs(family), what="what it had started lives on")
    until(lambda: not constellation.incoming())
    assert constellation.audio_files() == []
    web.gate.set()
    gateway.release("d1")
    constellation.enqueue("d1", 2)
    until(lambda: job.state == JobState.COMPLETED)
    assert job.completions[0].attempt == 2
    assert constellation.audio_files() == [job.downloaded.audio_path]


def test_a_killed_worker_takes_its_work_horse_along_and_the_next_one_sweeps(
    stuck_download: Stuck, constellation: Constellation, gateway: FakeGateway, web: AudioServer
) -> None:
    job, worker = stuck_download
    family = family_of(worker.pid)
    neighbour = constellation.audio_dir / ".incoming" / "a folder of somebody else"
    neighbour.mkdir()
    worker.kill()
    worker.wait()
    until(lambda: not any_runs(family), what="a work horse lives on")
    assert not job.completions
    web.gate.set()
    gateway.release("d1")
    constellation.start_worker()
    constellation.enqueue("d1", 2)
    until(lambda: job.state == JobState.COMPLETED)
    until(lambda: constellation.incoming() == [neighbour.name])
    assert constellation.audio_files() == [job.downloaded.audio_path]


def test_everything_killed_at_once_is_swept_by_the_next_worker(
    stuck_download: Stuck, constellation: Constellation
) -> None:
    _, worker = stuck_download
    kill(worker.pid, *family_of(worker.pid))
    worker.wait()
    assert constellation.incoming() == ["d1-1"]
    constellation.start_worker()
    until(lambda: not constellation.incoming())


def test_a_second_worker_leaves_the_folder_of_a_living_attempt_alone(
    stuck_download: Stuck, constellation: Constellation, web: AudioServer
) -> None:
    job, _ = stuck_download
    constellation.start_worker()
    until(lambda: constellation.log().count("worker_started") == 2)
    assert constellation.incoming() == ["d1-1"]
    web.gate.set()
    until(lambda: job.state == JobState.COMPLETED)
    assert job.attempts == 1


def test_two_workers_on_one_volume_never_touch_each_others_files(
    constellation: Constellation, gateway: FakeGateway, web: AudioServer
) -> None:
    """One is killed with all that it started, and swept by a third, in the middle of the other's download."""
    web.files["other.wav"] = web.files["tone.wav"]
    first = gateway.add("d1", {"kind": "download", "url": f"{web.url}/slow/tone.wav"})
    second = gateway.add("d2", {"kind": "download", "url": f"{web.url}/slow/other.wav"}, track_id="12345-A2")
    workers = [constellation.start_worker(), constellation.start_worker()]
    for job_id in ("d1", "d2"):
        constellation.enqueue(job_id)
    for job in (first, second):
        until(lambda job=job: any((pulse.progress or 0) > 10 for pulse in job.pulses))  # type: ignore[misc]
    assert constellation.incoming() == ["d1-1", "d2-1"]
    victim = next(worker for worker in workers if holds(worker, "d1-1"))
    kill(victim.pid, *family_of(victim.pid))
    victim.wait()
    constellation.start_worker()
    until(lambda: constellation.incoming() == ["d2-1"])
    web.gate.set()
    until(lambda: second.state == JobState.COMPLETED)
    assert second.attempts == 1
    gateway.release("d1")
    constellation.enqueue("d1", 2)
    until(lambda: first.state == JobState.COMPLETED)
    assert constellation.audio_files() == sorted([first.downloaded.audio_path, second.downloaded.audio_path])
    until(lambda: not constellation.incoming())


def test_sigterm_finishes_the_job_under_way(
    stuck_download: Stuck, constellation: Constellation, web: AudioServer
) -> None:
    job, worker = stuck_download
    worker.send_signal(signal.SIGTERM)
    until(lambda: "worker_stopping" in constellation.log())
    web.gate.set()
    assert worker.wait(timeout=30) == 0
    assert job.state == JobState.COMPLETED


def test_sigterm_ends_an_idle_worker_at_once(constellation: Constellation) -> None:
    worker = constellation.start_worker()
    until(lambda: "worker_started" in constellation.log())
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=10) == 0


def test_sigterm_does_not_wait_for_a_service_that_is_away(
    constellation: Constellation, gateway: FakeGateway
) -> None:
    job = gateway.add("j1", ANALYZE)
    worker = constellation.start_worker(ESSENTIA_URL="http://127.0.0.1:9")
    constellation.enqueue("j1")
    until(lambda: "essentia_waited_for" in constellation.log())
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=15) == 0
    assert job.failures[0].transient


def test_sigterm_puts_a_job_back_whose_gateway_is_away(
    constellation: Constellation, essentia: FakeEssentia
) -> None:
    with fake_gateway() as gateway:
        job = gateway.add("j1", ANALYZE)
    worker = constellation.start_worker(GATEWAY_URL=gateway.url, CLAIM_PATIENCE_SECONDS="60")
    constellation.enqueue("j1")
    until(lambda: constellation.horse_of(worker))
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=15) == 0
    with fake_gateway(int(gateway.url.rpartition(":")[2]), gateway):
        constellation.start_worker(GATEWAY_URL=gateway.url)
        until(lambda: job.state == JobState.COMPLETED)


def test_a_worker_outlives_a_redis_that_is_away(
    constellation: Constellation, gateway: FakeGateway, essentia: FakeEssentia, tmp_path: Path
) -> None:
    home = tmp_path / "own valkey"
    home.mkdir()
    command = valkey.server(home, free_ports(1)[0])
    constellation.redis_url = valkey.url(home, int(command_port(home)))
    worker = constellation.start_worker(REDIS_URL=constellation.redis_url)
    until(lambda: "redis_away" in constellation.log())
    jobs = [gateway.add(f"j{number}", ANALYZE) for number in range(3)]
    for job in jobs:
        child = processes.spawn(command, home / "valkey.log")
        try:
            valkey.wait_until_ready(constellation.redis_url, child)
            constellation.enqueue(job.id)
            until(partial(is_completed, job))
        finally:
            child.kill()
            child.wait()
    assert worker.poll() is None


def test_a_redis_killed_in_mid_job_does_not_disturb_the_job(
    constellation: Constellation, gateway: FakeGateway, essentia: FakeEssentia, tmp_path: Path
) -> None:
    home = tmp_path / "own valkey"
    home.mkdir()
    command = valkey.server(home, free_ports(1)[0])
    constellation.redis_url = valkey.url(home, int(command_port(home)))
    essentia.gate.clear()
    job = gateway.add("j1", ANALYZE)
    after = gateway.add("j2", ANALYZE)
    child = processes.spawn(command, home / "valkey.log")
    valkey.wait_until_ready(constellation.redis_url, child)
    constellation.start_worker(REDIS_URL=constellation.redis_url)
    constellation.enqueue("j1")
    until(lambda: essentia.asked)
    child.kill()
    child.wait()
    essentia.gate.set()
    until(lambda: job.state == JobState.COMPLETED)
    child = processes.spawn(command, home / "valkey.log")
    try:
        valkey.wait_until_ready(constellation.redis_url, child)
        constellation.enqueue("j2")
        until(lambda: after.state == JobState.COMPLETED)
    finally:
        child.kill()
        child.wait()


def is_completed(job: FakeJob) -> bool:
    return job.state == JobState.COMPLETED


def command_port(home: Path) -> str:
    words = (home / "valkey.conf").read_text().split()
    return words[words.index("port") + 1]


def holds(worker: "subprocess.Popen[bytes]", folder: str) -> bool:
    """Whether something that this worker started has a file open in the folder of an attempt."""
    links = [link for pid in family_of(worker.pid) for link in Path(f"/proc/{pid}/fd").glob("*")]
    return any(f"/{folder}/" in str(link.readlink()) for link in links if link.is_symlink())
